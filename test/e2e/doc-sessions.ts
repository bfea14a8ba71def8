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

/** A call of `thermos`: the words after it. In a sentence, arguments may be missing. */
export interface Call {
  words: string[];
  isWhole: boolean;
}

/** The calls in the `sh` blocks of a page and in its sentences. */
export function callsIn(text: string): Call[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  );
  const sentences = text.replaceAll(/```[\s\S]*?```/g, '');
  const spans = [...sentences.matchAll(/`(thermos [^`…]+)`/g)].map(([, span = '']) => span);
  const callsOf = (lines: readonly string[], isWhole: boolean) =>
    lines.flatMap((line) =>
      [...line.matchAll(/(?:^|[$(;&|] |\$\(|\b(?:sudo|nohup) )thermos (?=\S)/g)].map(
        ({ 0: start, index }) => ({ words: shellWords(line.slice(index + start.length)), isWhole }),
      ),
    );
  return [...callsOf(blocks, true), ...callsOf(spans, false)];
}

/** The words up to the end of a command, without their quotes. */
function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const char of text) {
    if (char === quote) quote = '';
    else if (quote === '' && /['"]/.test(char)) {
      quote = char;
      word ??= '';
    } else if (quote !== '' || !/[\s|<>;&()]/.test(char)) word = (word ?? '') + char;
    else {
      // Of a redirection, the descriptor is no word.
      if (word !== undefined && !(/[<>]/.test(char) && /^\d$/.test(word))) words.push(word);
      word = undefined;
      if (/\S/.test(char)) return words;
    }
  }
  return word === undefined ? words : [...words, word];
}
