import type { TaskReport } from '../../model.js';
import { markup } from '../../page/html.js';
import { searchIn } from '../../page/script/search.js';
import { taskBody } from '../../page/task-page.js';

/** The page of one task in this one. What a person opened stays open when it changes. */
export class EmbeddedTaskPage {
  readonly #place: HTMLElement;
  #shown = '';

  constructor(place: HTMLElement) {
    this.#place = place;
    place.addEventListener('click', (event) => {
      const at = event.target instanceof Element ? event.target : null;
      const link = at?.closest<HTMLAnchorElement>('a[href^="#"]');
      const button = at?.closest<HTMLElement>('button[data-save]');
      if (link) {
        // The address of this page says which task is shown.
        event.preventDefault();
        this.#goTo(decodeURIComponent(link.hash.slice(1)));
      }
      if (button) this.#save(button.dataset.save ?? 'task.json');
    });
  }

  #goTo(id: string): void {
    const target = document.getElementById(id);
    for (let at: Element | null = target; at !== null; at = at.parentElement) {
      if (at instanceof HTMLDetailsElement) at.open = true;
    }
    target?.scrollIntoView();
  }

  #save(name: string): void {
    const text = document.getElementById('data')?.textContent ?? '';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** Shows a report, if it is not the one that is shown; its times are counted anew only with other changes. */
  show(report: TaskReport): void {
    const shown = JSON.stringify({ ...report, made_ms: 0 }, withBigInts);
    if (shown === this.#shown) return;
    const opened = new Set(
      this.#details()
        .filter(([, { open }]) => open)
        .map(([name]) => name),
    );
    const closed = new Set(
      this.#details()
        .filter(([, { open }]) => !open)
        .map(([name]) => name),
    );
    this.#place.innerHTML = markup(taskBody(report));
    this.#shown = shown;
    for (const tools of this.#place.querySelectorAll<HTMLElement>('.tools')) tools.hidden = false;
    for (const input of this.#place.querySelectorAll<HTMLInputElement>('input[data-search]')) searchIn(input);
    for (const [name, details] of this.#details()) {
      if (opened.has(name)) details.open = true;
      if (closed.has(name)) details.open = false;
    }
    document.title = `${report.task.state} · ${report.task.task_id}`;
  }

  say(text: string): void {
    this.#shown = '';
    const line = document.createElement('p');
    line.textContent = text;
    this.#place.replaceChildren(line);
  }

  clear(): void {
    this.#shown = '';
    this.#place.replaceChildren();
  }

  /** By what stays the same: their id, or the words of their summary. */
  #details(): [string, HTMLDetailsElement][] {
    return [...this.#place.querySelectorAll('details')].map((details) => [
      details.id || (details.querySelector('summary')?.textContent ?? ''),
      details,
    ]);
  }
}

function withBigInts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
