import { searchIn } from './search.js';

/** Everything on a page works without this, but for searching, saving, and staying where one is when it is made again. */

for (const tools of document.querySelectorAll<HTMLElement>('.tools')) tools.hidden = false;

for (const input of document.querySelectorAll<HTMLInputElement>('input[data-search]')) searchIn(input);

for (const button of document.querySelectorAll<HTMLElement>('button[data-save]')) {
  button.addEventListener('click', () => {
    const text = document.getElementById('data')?.textContent ?? '';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = button.dataset.save ?? 'task.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

/** Not every browser unfolds what a link leads into. */
function unfoldTarget(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null) return;
  for (let at: Element | null = target; at !== null; at = at.parentElement) {
    if (at instanceof HTMLDetailsElement) at.open = true;
  }
  target.scrollIntoView({ block: 'nearest' });
}

addEventListener('hashchange', unfoldTarget);
if (location.hash !== '') unfoldTarget();

/** A page of a task that runs is loaded again and again: what was unfolded stays so. */
if (document.querySelector('meta[http-equiv=refresh]') !== null) {
  const key = `open ${location.pathname}`;
  const sections = () => document.querySelectorAll<HTMLDetailsElement>('details[id]');
  try {
    const open = new Set(JSON.parse(sessionStorage.getItem(key) ?? '[]') as string[]);
    for (const each of sections()) if (open.has(each.id)) each.open = true;
    addEventListener('pagehide', () => {
      const ids = [...sections()].filter((each) => each.open).map(({ id }) => id);
      sessionStorage.setItem(key, JSON.stringify(ids));
    });
  } catch {
    // A browser may keep nothing for a page from disk.
  }
}
