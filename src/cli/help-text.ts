import { HelpFormatter } from '@oclif/core/help';
import type { Config } from '@oclif/core/interfaces';
import type { Paint } from '../views/parts/paint.js';
import type { CODE_PAGES, CodePage } from './codes.js';
import type { ConfigTopic } from './config-topic.js';
import { type CommandPage, type FlagEntry, PROGRAM_NAME } from './page.js';

/** How help is formatted. */
export interface HelpStyle {
  width: number;
  bold: Paint;
}

export interface ProgramPage {
  summary: string;
  /** Paragraphs, for the man page only. */
  description: string[];
  usage: string;
  examples: CommandPage['examples'];
  /** In the order of the list. */
  commands: readonly CommandPage[];
  /** The other programs of the package; in the manual and the docs only. */
  programs: readonly CommandPage[];
  topics: [name: string, summary: string][];
  globalFlags: readonly FlagEntry[];
  exitCodes: CommandPage['exitCodes'];
  environment: CommandPage['environment'];
  /** For the man page only, like those of a command. */
  files: CommandPage['files'];
}

type Rows = [left: string, right: string | undefined][];

/**
 * Help as text. oclif does the wrapping and the lists; the content and its order are ours. oclif decides about colours
 * by its own rule (both streams must be terminals), so its colours are removed.
 */
export class HelpText extends HelpFormatter {
  readonly #bold: Paint;

  constructor(config: Config, style: HelpStyle) {
    super(config, { maxWidth: Math.max(40, style.width), stripAnsi: true });
    this.#bold = style.bold;
    // The pages are plain text; oclif would run every line through a template compiler.
    this.render = (text) => text;
  }

  command(page: CommandPage): string {
    return this.#join([
      this.wrap(page.summary, 0),
      this.#lines('USAGE', page.usage),
      this.#lines('DESCRIPTION', [page.description.map((paragraph) => this.wrap(paragraph)).join('\n\n')]),
      this.#examples(page.examples),
      this.#list(
        'ARGUMENTS',
        page.args.map(({ label, text }) => [label, text]),
      ),
      ...page.flagGroups.map(({ title, flags }) => this.#list(title, flagRows(flags))),
      this.#list('EXIT CODES', page.exitCodes),
      this.#list('ENVIRONMENT', page.environment),
      this.#lines(
        'SEE ALSO',
        page.seeAlso.map((id) => `${PROGRAM_NAME} help ${id}`),
      ),
    ]);
  }

  program(page: ProgramPage): string {
    return this.#join([
      this.wrap(page.summary, 0),
      this.#lines('USAGE', [page.usage]),
      this.#examples(page.examples),
      this.#list(
        'COMMANDS',
        page.commands.map(({ id, summary }) => [id, summary]),
      ),
      this.#list('TOPICS', page.topics),
      this.flags(page.globalFlags),
      this.#list('EXIT CODES', page.exitCodes),
      this.#list('ENVIRONMENT', page.environment),
      this.#lines('SEE ALSO', [`${PROGRAM_NAME} help COMMAND`, 'man thermos']),
    ]);
  }

  /** The codes of problems and errors. */
  codes(groups: typeof CODE_PAGES): string {
    return this.#join([
      this.wrap(
        'The codes of problems and errors, as --json has them. In brackets: the severity among the problems of an answer, and the exit code of a command that ends with it.',
        0,
      ),
      ...groups.map(({ title, codes }) =>
        this.#list(
          title.toUpperCase(),
          codes.map((page) => [page.code, `${page.meaning} [${rolesOf(page)}]`]),
        ),
      ),
      this.#lines('SEE ALSO', [`${PROGRAM_NAME} help codes CODE`]),
    ]);
  }

  defaults({ summary, keys, example, notes }: ConfigTopic): string {
    return this.#join([
      this.wrap(summary, 0),
      this.#list('KEYS', keys),
      this.#lines('EXAMPLE', example),
      ...notes.map((note) => this.wrap(note, 0)),
    ]);
  }

  code(page: CodePage, exitCodes: CommandPage['exitCodes']): string {
    return this.#join([
      this.wrap(`${page.code}: ${page.meaning}`, 0),
      this.#lines('WHAT TO DO', [page.remedy === undefined ? '' : this.wrap(page.remedy)]),
      this.#lines('SEVERITY', page.severity),
      this.#list(
        'EXIT CODES',
        exitCodes.filter(([code]) => page.exit.includes(Number(code))),
      ),
      this.#lines('SEE ALSO', [`${PROGRAM_NAME} help codes`]),
    ]);
  }

  flags(flags: readonly FlagEntry[]): string {
    return this.#list('GLOBAL FLAGS', flagRows(flags)) ?? '';
  }

  #join(sections: (string | undefined)[]): string {
    return `${sections.filter((section) => section !== undefined && section !== '').join('\n\n')}\n`;
  }

  #lines(title: string, lines: readonly string[]): string | undefined {
    const body = lines.filter((line) => line !== '').join('\n');
    return body === '' ? undefined : this.#section(title, body);
  }

  #list(title: string, rows: Rows): string | undefined {
    const [first] = rows;
    if (first === undefined) return undefined;
    const text = this.renderList(rows, { indentation: 2 });
    // oclif strips the blanks that stand for a missing short form from the first row. On a narrow terminal, where
    // it puts the texts below with an empty line between, it strips them from all rows.
    const blanks = text.includes('\n\n') ? '' : first[0].slice(0, first[0].search(/\S/));
    return this.#section(title, blanks + text);
  }

  /** Commands are never wrapped, so that they can be copied. */
  #examples(examples: CommandPage['examples']): string | undefined {
    const lines = examples.map(({ text, command }) =>
      text === undefined ? `$ ${command}` : `${this.wrap(text)}\n${this.indent(`$ ${command}`)}`,
    );
    return this.#lines('EXAMPLES', lines);
  }

  #section(title: string, body: string): string {
    return `${this.#bold(title)}\n${this.indent(body)}`;
  }
}

/** `error, warning; exit 5`. */
export function rolesOf({ severity, exit }: CodePage): string {
  const ends = exit.length === 0 ? [] : [`exit ${exit.join(', ')}`];
  return [...(severity.length === 0 ? [] : [severity.join(', ')]), ...ends].join('; ');
}

/** `-n, --lines=N`; long names are aligned whether there is a short form or not. */
function flagRows(flags: readonly FlagEntry[]): Rows {
  const anyShort = flags.some(({ char }) => char !== undefined);
  return flags.map(({ char, name, value, text }) => {
    const short = char === undefined ? (anyShort ? '    ' : '') : `-${char}, `;
    return [`${short}--${name}${value === undefined ? '' : `=${value}`}`, text];
  });
}
