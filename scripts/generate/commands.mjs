/** docs/commands.md: what the help says of each command. */
export function commandReference(program, helpOf) {
  const row = ({ id, summary }) => `| [\`${id}\`](#thermos-${id}) | ${summary.replaceAll('|', '\\|')} |`;
  return [
    '# Commands',
    '',
    'This page is generated: it is what `thermos help COMMAND` prints.',
    '',
    '| command | does |',
    '| --- | --- |',
    ...program.commands.map(row),
    '',
    'Every command takes these flags too:',
    '',
    fenced(helpOf.flags(program.globalFlags)),
    ...program.commands.flatMap((page) => [
      '',
      `## thermos ${page.id}`,
      '',
      fenced(helpOf.command(own(page))),
    ]),
    '',
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
