import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vitest/node';
import { REPOSITORY } from './e2e/harness.js';

export const SRC = join(REPOSITORY, 'src');

/** The sources of the program, by their paths in `src/`. */
export const SOURCES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => ({ path, source: readFileSync(join(SRC, path), 'utf8') }));

/** A node of a syntax tree (ESTree), as far as it is looked at here. */
interface Node {
  type: string;
  [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The nodes of a program, each before those in it; what is only there for types is left out. */
export function* nodesOf(source: string): Generator<Node> {
  const pending: unknown[] = [parseAst(source, { lang: 'ts' })];
  while (pending.length > 0) {
    const value = pending.pop();
    if (Array.isArray(value)) {
      pending.push(...value.toReversed());
    } else if (isNode(value) && !isOnlyType(value)) {
      yield value;
      pending.push(...Object.values(value).toReversed());
    }
  }
}

/** `as`, `satisfies` and `!` stand around a value; everything else that begins so is a type. */
const AROUND_VALUES = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression'];

function isOnlyType({ type, importKind, exportKind }: Node): boolean {
  if (importKind === 'type' || exportKind === 'type') return true;
  return type.startsWith('TS') && !AROUND_VALUES.includes(type);
}

/** The values of an object literal by their names, as far as they are written as `name: value`. */
export function fieldsOf({ properties }: Node): Record<string, unknown> {
  return Object.fromEntries(
    (properties as Node[]).flatMap(({ key, value }) =>
      isNode(key) ? [[String(key.name ?? key.value), value]] : [],
    ),
  );
}

/** The texts in a program: of its strings, and between the values of its templates. Not the names of modules. */
export function textsOf(source: string): string[] {
  const texts: string[] = [];
  const modules = new Set<unknown>();
  for (const node of nodesOf(source)) {
    if (node.type.startsWith('Import') || node.type.startsWith('Export')) modules.add(node.source);
    if (node.type === 'Literal' && typeof node.value === 'string' && !modules.has(node))
      texts.push(node.value);
    if (node.type === 'TemplateElement') texts.push((node.value as { cooked: string }).cooked);
  }
  return texts;
}

/**
 * The names that a program imports from the modules whose names match: `*` for all that a module has. Types are no
 * names.
 */
export function importedFrom(source: string, modules: RegExp): string[] {
  const names = new Set<string>();
  for (const node of nodesOf(source)) {
    const from = moduleOf(node);
    if (from === undefined || !modules.test(from)) continue;
    const specifiers = (node.specifiers as Node[] | undefined) ?? [];
    const own = specifiers.filter((specifier) => !isOnlyType(specifier));
    if (specifiers.length === 0) names.add('*');
    for (const { imported, local } of own) {
      const name = (imported ?? (node.type === 'ExportNamedDeclaration' ? local : undefined)) as
        | Node
        | undefined;
      names.add(name === undefined ? '*' : String(name.name ?? name.value));
    }
  }
  return [...names].sort();
}

/** The name of the module that is imported here, in any way. */
function moduleOf({ type, source, callee, arguments: given }: Node): string | undefined {
  const isRequire =
    type === 'CallExpression' && ['require', 'getBuiltinModule'].includes(nameOfCallee(callee));
  const from = isRequire ? (given as Node[])[0] : (source as Node | undefined);
  return isNode(from) && typeof from.value === 'string' ? from.value : undefined;
}

function nameOfCallee(callee: unknown): string {
  if (!isNode(callee)) return '';
  const name = callee.type === 'MemberExpression' ? (callee.property as Node).name : callee.name;
  return String(name);
}

/** The modules of ours that a program loads, at its start or later; those whose types only it names are left out. */
export function modulesOf(source: string): string[] {
  const modules = new Set<string>();
  for (const node of nodesOf(source)) {
    const from = moduleOf(node);
    const specifiers = (node.specifiers as Node[] | undefined) ?? [];
    const named = specifiers.length === 0 || specifiers.some((specifier) => !isOnlyType(specifier));
    if (from?.startsWith('.') && named) modules.add(from);
  }
  return [...modules];
}
