const START = '<!-- commands -->';
const STOP = '<!-- /commands -->';

/** README.md with its section on the commands replaced by what their help says. */
export function readme(current, program, helpOf) {
  const start = current.indexOf(START);
  const stop = current.indexOf(STOP);
  if (start === -1 || stop < start) throw new Error(`README.md has no ${START} … ${STOP}`);
  return `${current.slice(0, start)}${START}\n${commands(program, helpOf)}\n${current.slice(stop)}`;
}

function commands(program, helpOf) {
  const row = ({ id, summary }) => `| [\`${id}\`](#thermos-${id}) | ${summary.replaceAll('|', '\\|')} |`;
  return [
    '| command | does |',
    '| --- | --- |',
    ...program.commands.map(row),
    '',
    'Every command takes these flags too:',
    '',
    fenced(helpOf.flags(program.globalFlags)),
    ...program.commands.flatMap((page) => [
      '',
      `### thermos ${page.id}`,
      '',
      fenced(helpOf.command(own(page))),
    ]),
  ].join('\n');
}

/** What is told once for all commands is left out. */
function own(page) {
  const flagGroups = page.flagGroups.filter(({ title }) => title !== 'GLOBAL FLAGS');
  return { ...page, flagGroups, exitCodes: [], environment: [], seeAlso: [] };
}

function fenced(text) {
  return `\`\`\`\n${text.trimEnd()}\n\`\`\``;
}
