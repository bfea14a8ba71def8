/** What an input searches: things that are shown if a text in them matches, and where they are. */
const KINDS: Readonly<Record<string, { section: string; thing: string; word: string }>> = {
  processes: { section: '.processes', thing: 'details.process', word: 'process' },
  logs: { section: '.logs', thing: 'span.l', word: 'line' },
};

/** Typing hides what does not match; nothing is hidden as long as nothing is typed. */
export function searchIn(input: HTMLInputElement): void {
  const kind = KINDS[input.dataset.search ?? ''];
  const section = kind && input.closest(kind.section);
  if (!kind || !section) return;
  const output = section.querySelector('output');
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    section.classList.toggle('searched', wanted !== '');
    let found = 0;
    for (const thing of section.querySelectorAll<HTMLElement>(kind.thing)) {
      const isFound = wanted === '' || textOf(thing).includes(wanted);
      thing.hidden = !isFound;
      if (isFound) found += 1;
    }
    if (input.dataset.search === 'logs') unfoldFound(section, wanted !== '');
    if (output !== null) {
      output.textContent =
        wanted === ''
          ? ''
          : `${found} ${kind.word}${found === 1 ? '' : kind.word === 'process' ? 'es' : 's'}`;
    }
  });
}

/** Of a process: its line, without its command and its runs. Of a line of a log: without its number. */
function textOf(thing: HTMLElement): string {
  const text = thing.querySelector('summary')?.textContent ?? thing.textContent ?? '';
  const number = thing.matches('.l') ? (thing.querySelector('a')?.textContent?.length ?? 0) : 0;
  return text.slice(number).toLowerCase();
}

/** The logs that have what is searched are unfolded, the others are hidden; what a person unfolded stays so. */
function unfoldFound(section: Element, isSearching: boolean): void {
  for (const log of section.querySelectorAll<HTMLDetailsElement>('details.log')) {
    const hasFound = log.querySelector('.l:not([hidden])') !== null;
    log.hidden = isSearching && !hasFound;
    if (isSearching && hasFound && !log.open) {
      log.open = true;
      log.dataset.unfolded = '';
    } else if (!isSearching && log.dataset.unfolded !== undefined) {
      log.open = false;
      delete log.dataset.unfolded;
    }
  }
}
