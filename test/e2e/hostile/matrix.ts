import { attempt, isOwnLink } from './attempt.js';
import { COMMANDS, type CommandName } from './commands.js';
import type { Lane } from './lane.js';
import { KINDS, type KindName, ROLES, type RoleName, role, spoil } from './tree.js';

/** One process of the program over one spoiled tree. */
export interface Cell {
  readonly role: RoleName;
  /** Without it nothing is spoiled, and the command must do what it is for. */
  readonly kind?: KindName;
  readonly command: CommandName;
}

export const nameOf = ({ role, kind, command }: Cell) => `${role}/${kind ?? 'sound'}/${command}`;

export const roles = Object.keys(ROLES) as RoleName[];
export const kinds = Object.keys(KINDS) as KindName[];
export const commands = Object.keys(COMMANDS) as CommandName[];

/** Every role with every kind and every command. */
export function product(): Cell[] {
  return roles.flatMap((role) =>
    kinds.flatMap((kind) => commands.map((command) => ({ role, kind, command }))),
  );
}

/**
 * Of the product so much that every two of a role, a kind and a command meet. Each role and kind get two commands,
 * half of the list apart, and the next role or kind goes on by one; what has not met then is added.
 */
export function covering(): Cell[] {
  const half = Math.ceil(commands.length / 2);
  const cells: { role: RoleName; kind: KindName; command: CommandName }[] = [];
  const met = new Set<string>();
  const add = (role: RoleName, kind: KindName, command: CommandName) => {
    cells.push({ role, kind, command });
    met.add(`${role} ${command}`).add(`${kind} ${command}`);
  };
  for (const [i, role] of roles.entries()) {
    for (const [j, kind] of kinds.entries()) {
      for (const offset of [0, half]) {
        add(role, kind, commands[(i + j + offset) % commands.length] as CommandName);
      }
    }
  }
  // With more commands than twice the kinds or roles, some have not met yet.
  for (const command of commands) {
    const lacks = (name: string) => !met.has(`${name} ${command}`);
    for (const role of roles.filter(lacks)) add(role, kinds.find(lacks) ?? (kinds[0] as KindName), command);
    for (const kind of kinds.filter(lacks)) add(roles[0] as RoleName, kind, command);
  }
  return cells;
}

/** One cell a command over a tree that is as it should be: what the others would show if nothing stood in the way. */
export function sound(): Cell[] {
  return commands.map((command) => ({ role: 'runner', command }));
}

/** The cells that patterns with commas between them name: ROLE/KIND/COMMAND, `*` for any. */
export function matching(patterns: string): Cell[] {
  const wanted = patterns.split(',').map((pattern) => pattern.split('/'));
  const fits = (word: string | undefined, name: string) =>
    word === undefined || word === '*' || word === name;
  return [...product(), ...sound()].filter(({ role, kind = 'sound', command }) =>
    wanted.some((words) => [role, kind, command].every((name, i) => fits(words[i], name))),
  );
}

/** Tries a cell; what went wrong, in words. A busy machine gets a second chance to answer in time. */
export async function faults(lane: Lane, cell: Cell): Promise<string[]> {
  const first = await once(lane, cell);
  return first.some((fault) => fault.startsWith('no answer')) && process.env.HOSTILE_ONCE === undefined
    ? once(lane, cell)
    : first;
}

async function once(lane: Lane, { role: name, kind, command }: Cell): Promise<string[]> {
  const found = await attempt(lane, command, {
    inSandbox: role(name).inSandbox,
    large: kind === 'sparse',
    hardLinks: kind === 'hard-link',
    sound: kind === undefined,
    begin(victim) {
      if (kind !== undefined) spoil(kind, name, victim, lane.twin);
      return undefined;
    },
  });
  return found.filter((fault) => kind !== 'link-to-directory' || !isOwnLink(command, name, fault));
}
