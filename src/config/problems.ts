import type { ProblemCode } from '../errors/codes.js';
import type { Problem } from '../errors/problem.js';
import { check } from './check.js';
import { inScope } from './construct.js';
import { interpolated, type Unbound } from './interpolate.js';
import { grouped, LIMITS, LimitError, type LimitName, type Meter, shortened } from './limits.js';
import { type Address, ModelError, type Node } from './model.js';
import { addressText, parseAddress, tagText } from './mustache.js';
import { type ConfigPlace, type Leaf, type MissingField, mayRefer, partsOf, placeText } from './places.js';
import { ConfigError, type EvaluationPhase } from './program.js';

/** A problem at a place in a config; the file is that of the place, if the place has one. */
export function problemAt(
  place: ConfigPlace,
  code: ProblemCode,
  severity: Problem['severity'],
  message: string,
  hint?: string,
): Problem {
  const { process, field, origin } = place;
  const where = shortened(placeText(place), 500);
  return {
    code,
    severity,
    message: `${where}${where === '' ? '' : ': '}${shortened(message)}`,
    ...(origin !== undefined && { path: origin.path, line: origin.line }),
    ...(process !== undefined && { process: process() }),
    ...(field !== '' && { field }),
    ...(hint !== undefined && { hint }),
  };
}

/** The problem with its file, which the message names too; `path` is the config's. */
export function located(problem: Problem, path: string): Problem {
  const file = problem.path ?? path;
  const line = problem.line === undefined ? '' : `:${problem.line}`;
  return { ...problem, path: file, message: `${file}${line}: ${problem.message}` };
}

/** The failure of a config with these problems: a single error is the failure, several are listed below a summary. */
export function invalidConfig(phase: EvaluationPhase, path: string, found: readonly Problem[]): ConfigError {
  const count = found.filter(({ severity }) => severity === 'error').length;
  const problems = theFirst(found).map((problem) => located(problem, path));
  const first = problems.find(({ severity }) => severity === 'error');
  if (count === 1 && first !== undefined) {
    const others = problems.filter((problem) => problem !== first);
    return new ConfigError(phase, first.code, first.message, { hint: first.hint, problems: others });
  }
  return new ConfigError(phase, 'config-invalid', `${path} has ${grouped(count)} errors`, { problems });
}

/** At most the allowed number of problems, errors before warnings, and then how many are not shown. */
export function theFirst(problems: readonly Problem[]): Problem[] {
  const { most } = LIMITS.problems;
  if (problems.length <= most) return [...problems];
  const errors = problems.filter(({ severity }) => severity === 'error');
  const shown = [...errors, ...problems.filter(({ severity }) => severity !== 'error')].slice(0, most);
  const message = `${grouped(problems.length - most)} more problems are not shown`;
  return [...shown, { code: 'config-limit', severity: errors.length > most ? 'error' : 'warning', message }];
}

/** Every value of an object that is not of its type; if there are none, the original accepts it too. */
export function typeProblems(node: Node): Problem[] {
  return [...partsOf(node)].flatMap((part) => ('type' in part ? [missing(part)] : (problemOf(part) ?? [])));
}

function missing({ type, place }: MissingField): Problem {
  const name = place.field.split('.').at(-1) ?? '';
  const whole = { ...place, field: place.field.split('.').slice(0, -1).join('.') };
  return {
    ...problemAt(whole, 'field-missing', 'error', `${type.name} needs ${article(name)} ${name}`),
    field: place.field,
  };
}

function article(name: string): string {
  return /^[aeio]/i.test(name) ? 'an' : 'a';
}

function problemOf({ node: inner, scopes, place }: Leaf): Problem | undefined {
  const node = inner.kind === 'simple' && !mayRefer(inner) ? inner : inScope(inner, scopes);
  try {
    const { ok, message } = check(node);
    if (ok) return undefined;
    const refs = unboundIn(node);
    if (refs.length > 0) {
      const why = `nothing is bound to ${refs.map(tagText).join(' ')}, so it is not ${article(node.type.name)} ${node.type.name}`;
      return problemAt(place, 'ref-unbound', 'error', why, hintFor(refs[0] as Address));
    }
    return problemAt(place, 'type-mismatch', 'error', message.replace(/^Unable to interpolate: /, ''));
  } catch (error) {
    if (error instanceof LimitError) throw placed(error, place);
    if (!(error instanceof ModelError)) throw error;
    return invalidTag(place, error) ?? problemAt(place, 'type-mismatch', 'error', error.message);
  }
}

/** Adds which value it was and where that was made. */
function placed(error: LimitError, place: ConfigPlace): LimitError {
  const { process, field, origin } = place;
  error.path ??= origin?.path;
  error.line ??= origin?.line;
  try {
    error.place ??= shortened(placeText(place), 500);
  } catch (another) {
    if (!(another instanceof LimitError)) throw another;
    // The name of the process exceeds a limit, too.
    error.place = process === undefined ? field : `a process: ${field}`;
  }
  return error;
}

/** The unbound refs; none if the value is wrong for another reason. */
function unboundIn(node: Node): Address[] {
  const unbound: Unbound = new Map();
  try {
    interpolated(node, [], unbound);
  } catch (error) {
    if (error instanceof ModelError) return [];
    throw error;
  }
  return [...unbound.values()];
}

/** A tag that holds no address, usually because of blanks in it. */
function invalidTag(place: ConfigPlace, { type, tag }: ModelError): Problem | undefined {
  if (type !== 'InvalidRefError' || tag === undefined) return undefined;
  const content = tag.slice(2, -2);
  const trimmed = addressOrNothing(content.trim());
  const literal = `to pass ${tag} to the command unchanged, write ${escaped(content)}`;
  if (trimmed !== undefined && trimmed !== content) {
    return problemAt(
      place,
      'mustache-blanks',
      'error',
      `${tag} has blanks inside the braces, so it is not a reference`,
      `write {{${trimmed}}}; ${literal}`,
    );
  }
  return problemAt(place, 'mustache-invalid', 'error', `${tag} is not a reference`, literal);
}

function addressOrNothing(text: string): string | undefined {
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/**
 * How to write a tag that the command gets unchanged. The original interpolates five times before bash sees it,
 * and each time removes one `&`.
 */
export function escaped(content: string): string {
  return `{{&&&&&${content}}}`;
}

/** With fewer of them a tag does not survive; in the last round, a plain ref that nothing is bound to stays. */
export function ampersandsFor(content: string): number {
  return /^[a-zA-Z_[]/.test(content) && addressOrNothing(content) !== undefined ? 4 : 5;
}

/** What to do about a ref that nothing is bound to. */
export function hintFor(ref: Address): string {
  const address = addressText(ref);
  const [first, second] = ref.parts.map(({ value }) => value);
  if (first === 'thermos' && second === 'ports') return 'a port is written {{thermos.ports[NAME]}}';
  if (first === 'packer' || (first === 'docker' && second === 'image')) {
    return `{{${first}…}} is filled in by a plug-in of the Aurora client: bind it with -E '${address}=VALUE'`;
  }
  return `bind it in the config, or with -E '${address}=VALUE'`;
}

/** The result of a part of an evaluation; an error that no check foresaw is still the config's fault, not ours. */
export function orRefused<T>(phase: EvaluationPhase, path: string, meter: Meter, act: () => T): T {
  try {
    return meter.run(act);
  } catch (error) {
    if (error instanceof LimitError) throw beyondLimit(phase, path, error);
    if (error instanceof ModelError) {
      throw new ConfigError(phase, 'config-invalid', `${path}: ${shortened(error.message)}`);
    }
    if (error instanceof RangeError) {
      const what = /call stack/.test(error.message)
        ? 'is nested too deeply'
        : 'makes a text that is too long';
      throw new ConfigError(phase, 'config-invalid', `${path} ${what}`, { debug: error.stack });
    }
    throw error;
  }
}

/** Why the evaluation of a config was stopped. */
export function beyondLimit(phase: EvaluationPhase, config: string, error: LimitError): ConfigError {
  const { limit, place, line } = error;
  const path = error.path ?? config;
  const file = line === undefined ? path : `${path}:${line}`;
  const code =
    limit === 'cpu' || limit === 'visits'
      ? 'config-endless'
      : limit === 'made'
        ? 'config-memory'
        : 'config-limit';
  return new ConfigError(phase, code, [file, place, error.message].filter(Boolean).join(': '), {
    hint: HINTS[limit],
    debug: error.stack,
  });
}

const HINTS: Partial<Record<LimitName, string>> = {
  visits: 'does it nest values in each other again and again?',
  cpu: 'does it build far more than intended, or refer to itself?',
  text_of_all: 'do references resolve to texts with more references in them?',
};
