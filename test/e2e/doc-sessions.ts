/** A command of a page, and what the page shows below it. */
export interface Shown {
  command: string;
  output: string;
}

/** The commands of the `console` blocks, each with the output shown below it. */
export function shownIn(text: string): Shown[] {
  return [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), output: part.slice(end + 1).trimEnd() };
      }),
  );
}

/** What differs each time: times, how long it took, sizes on this disk, parts of them, pids, and with them the columns. */
export function lasting(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b(?:\d+d)?(?:\d+h)?(?:\d+m)?[\d.]+s\b|\b(?:\d+d)?(?:\d+h)?\d+m\b|\b\d+d(?:\d+h)?\b/g, 'SPAN')
    .replace(/\b[\d.]+(?:B|KiB|MiB)(?= |\b)/g, 'SIZE')
    .replace(/(\d\/\d+ +)\d+ /g, '$1PID ')
    .replace(/\bpid \d+/g, 'pid PID')
    .replace(/!?\b\d+%/g, 'PART')
    .replace(/ +/g, ' ');
}
