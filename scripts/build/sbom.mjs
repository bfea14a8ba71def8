import { createHash } from 'node:crypto';

/**
 * The bill of materials of thermos in the form of CycloneDX 1.6. The same components give the same bytes: it has no time,
 * and its serial number is made of what is in it.
 *
 * @param {{ name: string, version: string, license: string, description: string }} thermos
 * @param {import('./components.mjs').Component[]} components
 */
export function billOfMaterials(thermos, components) {
  return written({
    metadata: {
      component: {
        type: 'application',
        'bom-ref': `thermos@${thermos.version}`,
        name: 'thermos',
        version: thermos.version,
        description: thermos.description,
        licenses: licensesOf(thermos.license),
        purl: `pkg:npm/${thermos.name.replace('@', '%40')}@${thermos.version}`,
      },
    },
    components: components.map(listed),
  });
}

/** A bill with more components. */
export function withComponents(bill, more) {
  const { metadata, components } = JSON.parse(bill);
  return written({ metadata, components: [...components, ...more.map(listed)] });
}

function written({ metadata, components }) {
  const content = {
    metadata,
    components,
    dependencies: [
      { ref: metadata.component['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) },
    ],
  };
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** @param {import('./components.mjs').Component} component */
function listed({ name, version, licence, purl, cpe, place, part }) {
  return {
    type: name === 'Node.js' || name === 'CPython' ? 'platform' : 'library',
    'bom-ref': part === undefined ? purl : `${purl}#${part}`,
    name,
    ...(version === undefined ? {} : { version }),
    ...(place === undefined ? {} : { description: place }),
    licenses: licensesOf(licence),
    ...(cpe === undefined ? {} : { cpe: `cpe:2.3:a:${cpe}:${version}:*:*:*:*:*:*:*` }),
    purl,
  };
}

function licensesOf(licence) {
  return licence === 'public domain' ? [{ license: { name: licence } }] : [{ expression: licence }];
}

/** Version 8 is for whatever its maker makes of it. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}
