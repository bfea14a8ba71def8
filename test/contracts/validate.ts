import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ContractName } from '../../src/contracts/index.js';
import { REPOSITORY } from '../e2e/harness.js';

const validators = new Map<string, ValidateFunction>();

/**
 * What the shipped schema has against a document; empty if it is valid. The shipped schemas are open, so that
 * old ones accept newer output; here they are closed first, so that a field which no schema knows is found.
 */
export function violations(name: ContractName, document: unknown): string[] {
  return check(name, document, true);
}

/** As `violations`, by the schema as it is shipped. */
export function openViolations(name: ContractName, document: unknown): string[] {
  return check(name, document, false);
}

export function shippedSchema(name: ContractName): Record<string, unknown> {
  return JSON.parse(readFileSync(join(REPOSITORY, 'schemas', `${name}.json`), 'utf8'));
}

function check(name: ContractName, document: unknown, closed: boolean): string[] {
  const key = `${name} ${closed}`;
  let validate = validators.get(key);
  if (validate === undefined) {
    const schema = shippedSchema(name);
    validate = new Ajv2020({ strict: false, allErrors: true }).compile(
      closed ? (close(schema) as object) : schema,
    );
    validators.set(key, validate);
  }
  if (validate(document)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

/** Forbids fields that are not named, in each object that names any. */
function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) closed[key] = close(value);
  if ('properties' in closed && !('additionalProperties' in closed)) closed.additionalProperties = false;
  return closed;
}
