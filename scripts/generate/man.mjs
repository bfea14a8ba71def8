/**
 * man/thermos.1 and man/thermos-CMD.1, in the macros of man(7). No date, so that a page changes only with its
 * command.
 */
export function manPages(program, name, version) {
  const title = (page) => heading(page, 1, name, version);
  const files = {
    [`man/${name}.1`]: document([
      title(name),
      section('NAME', `${text(name)} \\- ${text(sentence(program.summary))}`),
      section('SYNOPSIS', synopsis(program.usage)),
      section('DESCRIPTION', paragraphs(program.description)),
      section(
        'COMMANDS',
        tagged(program.commands.map(({ id, summary }) => [bold(`${name}-${id}(1)`), summary])),
      ),
      section('OPTIONS', options(program.globalFlags)),
      section('EXIT STATUS', tagged(program.exitCodes.map(([code, meaning]) => [bold(code), meaning]))),
      section('ENVIRONMENT', tagged(program.environment.map(([key, meaning]) => [bold(key), meaning]))),
      section('FILES', tagged(program.files.map(([path, meaning]) => [italic(path), meaning]))),
      section('EXAMPLES', examples(program.examples)),
      section('SEE ALSO', [
        references([...program.commands, ...program.programs].map(pageName)),
        `.PP\n${bold(`${name}-codes`)}(7)`,
      ]),
    ]),
  };
  for (const page of [...program.commands, ...program.programs]) {
    files[`man/${pageName(page)}.1`] = document([
      title(pageName(page)),
      section('NAME', `${text(pageName(page))} \\- ${text(sentence(page.summary))}`),
      section('SYNOPSIS', page.usage.map(synopsis).join('\n.br\n')),
      section('DESCRIPTION', paragraphs(page.description.length > 0 ? page.description : [page.summary])),
      section('OPTIONS', [
        tagged(page.args.map(({ label, text }) => [bold(label), text])),
        options(page.flagGroups.flatMap(({ flags }) => flags)),
      ]),
      section('EXIT STATUS', tagged(page.exitCodes.map(([code, meaning]) => [bold(code), meaning]))),
      section('ENVIRONMENT', tagged(page.environment.map(([key, meaning]) => [bold(key), meaning]))),
      section('FILES', tagged(page.files.map(([path, meaning]) => [italic(path), meaning]))),
      section('EXAMPLES', examples(page.examples)),
      section('SEE ALSO', references([name, ...page.seeAlso.map((id) => `${name}-${id}`)])),
    ]);
  }
  return files;
}

/** man/thermos-codes.7: the codes of problems and errors. */
export function codesPage({ CODE_PAGES, rolesOf }, program, name, version) {
  return document([
    heading(`${name}-codes`, 7, name, version),
    section('NAME', `${text(`${name}-codes`)} \\- what the codes of problems and errors mean`),
    section(
      'DESCRIPTION',
      paragraphs([
        'With --json, every problem, finding and error has a code. Codes are added in later versions, and never renamed or removed.',
        'In brackets: the severity among the problems of an answer, and the exit status of a command that ends with the code. An answer with a problem of severity error has the exit status 5.',
      ]),
    ),
    ...CODE_PAGES.map(({ title, codes }) =>
      section(
        title.toUpperCase(),
        tagged(
          codes.map((page) => [
            bold(page.code),
            `${[page.meaning, page.remedy].filter(Boolean).join(' ')} [${rolesOf(page)}]`,
          ]),
        ),
      ),
    ),
    section('EXIT STATUS', tagged(program.exitCodes.map(([code, meaning]) => [bold(code), meaning]))),
    section('SEE ALSO', references([name, `${name}-help`])),
  ]);
}

function heading(page, number, name, version) {
  return `.TH ${text(page.toUpperCase())} ${number} "" "${name} ${version}" "Thermos manual"`;
}

/**
 * Text that troff prints unchanged: a backslash is `\e`, a hyphen-minus stays one (so that flags can be copied),
 * and neither a dot nor a quote at the start of a line makes it a request.
 */
function text(plain) {
  return [...plain]
    .map(
      (char) =>
        ESCAPES[char] ??
        (char > '~' ? `\\[u${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]` : char),
    )
    .join('')
    .replace(/^([.'])/gm, '\\&$1');
}

const ESCAPES = {
  '\\': '\\e',
  '-': '\\-',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  "'": '\\(aq',
  '"': '\\(dq',
};

const bold = (plain) => `\\fB${text(plain)}\\fR`;
const italic = (plain) => `\\fI${text(plain)}\\fR`;

/** In man's style after the dash: no capital, no full stop. */
function sentence(summary) {
  return `${summary[0].toLowerCase()}${summary.slice(1)}`.replace(/\.$/, '');
}

function document(parts) {
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function section(title, body) {
  const content = [body]
    .flat()
    .filter((part) => part !== '')
    .join('\n');
  return content === '' ? '' : `.SH ${title}\n${content}`;
}

function paragraphs(texts) {
  return texts.map(text).join('\n.PP\n');
}

/** The program and its command are typed literally, the rest is a placeholder. */
function synopsis(usage) {
  const words = usage.split(' ');
  const fixed = words.findIndex((word) => /[A-Z[{]/.test(word));
  const end = fixed === -1 ? words.length : fixed;
  return [bold(words.slice(0, end).join(' ')), text(words.slice(end).join(' '))].join(' ').trim();
}

function tagged(rows) {
  return rows.map(([tag, meaning]) => `.TP\n${tag}\n${text(meaning)}`).join('\n');
}

function options(flags) {
  return tagged(
    flags.map(({ char, name, value, text }) => {
      const short = char === undefined ? '' : `${bold(`-${char}`)}, `;
      return [`${short}${bold(`--${name}`)}${value === undefined ? '' : `=${italic(value)}`}`, text];
    }),
  );
}

function examples(list) {
  return list
    .map(({ text: what, command }) => {
      const line = `.PP\n.nf\n.RS\n${text(`$ ${command}`)}\n.RE\n.fi`;
      return what === undefined ? line : `.PP\n${text(what)}\n${line}`;
    })
    .join('\n');
}

function references(pages) {
  return pages.map((page) => `${bold(page)}(1)`).join(',\n');
}

/** `thermos-run` of `thermos run`. */
function pageName({ call }) {
  return call.replace(' ', '-');
}
