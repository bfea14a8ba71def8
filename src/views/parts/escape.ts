// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what this file is about
const CONTROL =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u;
const EVERY_CONTROL = new RegExp(CONTROL, 'gu');

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e', '\0': '\\0' };

/**
 * Makes text from a checkpoint or a path safe to show on a terminal: control characters, bidirectional
 * overrides and lone surrogates become `\n`, `\e`, `\u{9b}` and so on. Everything else is left as it is.
 */
export function escapeControl(text: string): string {
  if (!CONTROL.test(text)) return text;
  return text.replace(
    EVERY_CONTROL,
    (char) => SHORT[char] ?? `\\u{${(char.codePointAt(0) as number).toString(16)}}`,
  );
}
