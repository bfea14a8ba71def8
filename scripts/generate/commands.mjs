/** docs/commands.md: the help of each command. */
export function commandReference(program, helpOf) {
  const row = ({ id, summary }) => `| [\`${id}\`](#thermos-${id}) | ${summary.replaceAll('|', '\\|')} |`;
  return [
    '# Commands',
    '',
    'This page is generated from the output of `thermos help COMMAND`.',
    '',
    '| command | does |',
    '| --- | --- |',
    ...program.commands.map(row),
    '',
    'Every command also takes these flags:',
    '',
    fenced(helpOf.flags(program.globalFlags)),
    ...[...program.commands, ...program.programs].flatMap((page) => [
      '',
      `## ${page.call}`,
      '',
      fenced(helpOf.command(own(page))),
    ]),
    '',
  ].join('\n');
}

/** Sections that are the same for all commands are left out. */
function own(page) {
  const flagGroups = page.flagGroups.filter(({ title }) => title !== 'GLOBAL FLAGS');
  return { ...page, flagGroups, exitCodes: [], environment: [], seeAlso: [] };
}

function fenced(text) {
  return `\`\`\`\n${text.trimEnd()}\n\`\`\``;
}
