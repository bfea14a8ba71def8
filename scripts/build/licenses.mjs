/**
 * The file that is distributed with thermos: each of the components with its name, its version, its licence and that
 * licence's whole text.
 *
 * @param {import('./components.mjs').Component[]} components
 */
export function thirdPartyLicenses(components) {
  return [
    'thermos is under the Apache License 2.0, see LICENSE. With it come the following programs, or parts of them.\n',
    ...components.map(entryOf),
  ].join('\n');
}

/**
 * What a component adds to the end of the file.
 *
 * @param {import('./components.mjs').Component} component
 */
export function entryOf({ name, version, licence, place, text }) {
  const title = `${[name, version].filter((word) => word !== undefined).join(' ')} (${licence})`;
  const where = place === undefined ? '' : `, ${place}`;
  return `${'='.repeat(80)}\n${title}${where}\n\n${text.trim()}\n`;
}
