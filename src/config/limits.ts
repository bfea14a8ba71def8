const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Every limit on what a config may use of the machine. They are far above what people write, and low enough that
 * a config that exceeds one is refused within seconds and in half a gigabyte of memory.
 */
export const LIMITS = {
  text: { most: 16 * MIB, unit: 'bytes of a config' },
  values: { most: 1_000_000, unit: 'values in a JSON config' },
  tasks: { most: 1000, unit: 'tasks or jobs of a config' },
  processes: { most: 20_000, unit: 'processes of a task' },
  constraints: { most: 40_000, unit: 'constraints of a task' },
  names: { most: 200_000, unit: 'names in the constraints of a task' },
  digits: { most: 4300, unit: 'digits of an integer' },
  /** Lists in lists, and their types. */
  nesting: { most: 100, unit: 'levels of nested values' },
  /** Parts of an address: `a.b[c]` has three. */
  address: { most: 100, unit: 'parts of a reference' },
  /** Objects that are looked up for the text of another. */
  references: { most: 100, unit: 'levels of nested references' },
  text_of_value: { most: MIB, unit: 'characters of a value with its references replaced' },
  text_of_all: { most: 256 * MIB, unit: 'characters of all values while their references are replaced' },
  /** An estimate: texts, objects and what is bound to them. */
  made: { most: 192 * MIB, unit: 'bytes of values that a config makes' },
  /** What Python sends in one call, and what it gets back. */
  call: { most: 4 * MIB, unit: 'bytes in one call of a config' },
  answer: { most: 32 * MIB, unit: 'bytes in the answer to one call of a config' },
  visits: { most: 30_000_000, unit: 'visits to values' },
  cpu: { most: 15, unit: 'seconds of computing' },
  /** Of Python, which may sleep. */
  time: { most: 20, unit: 'seconds' },
  /** Of Python's own memory. */
  memory: { most: 192 * MIB, unit: 'bytes of memory' },
  open_files: { most: 64, unit: 'open files' },
  printed: { most: 64 * KIB, unit: 'bytes that are printed' },
  /** Problems that are shown for one config; and how long the message of each may be. */
  problems: { most: 200, unit: 'problems' },
  words: { most: 4000, unit: 'characters of a message' },
} as const satisfies Record<string, { readonly most: number; readonly unit: string }>;

export type LimitName = keyof typeof LIMITS;

/** Thrown where a config exceeds a limit: its evaluation stops. */
export class LimitError extends Error {
  /** The value that exceeded it, for the beginning of a message. */
  place?: string;
  line?: number;
  path?: string;

  constructor(
    readonly limit: LimitName,
    readonly seen: number,
  ) {
    super(limitText(limit, seen));
  }
}

/** What was seen, and what is allowed. */
export function limitText(limit: LimitName, seen: number): string {
  const { most, unit } = LIMITS[limit];
  return `${grouped(seen)} ${unit} are too many: at most ${grouped(most)} are allowed`;
}

/** 20000 as 20,000. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Throws LimitError for more than the table allows. */
export function limited(limit: LimitName, seen: number): void {
  if (seen > LIMITS[limit].most) throw new LimitError(limit, seen);
}

/** The beginning of a text that is longer than a message may be. */
export function shortened(text: string, most: number = LIMITS.words.most): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${grouped(text.length)} characters)`;
}

/** The first of many names, for a message. */
export function listed(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map((name) => shortened(name, 200));
  return names.length <= most ? shown.join(', ') : `${shown.join(', ')} … (${grouped(names.length)})`;
}

/** CPU seconds that this process has used. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** The clock is read once in this number of steps. */
const STEPS = 512;

/** Counts what one evaluation uses, over all its parts. */
export class Meter {
  readonly #cpu: () => number;
  #spent = 0;
  #since = 0;
  #steps = 0;
  #made = 0;
  #replaced = 0;
  #depth = 0;

  /** `cpu`: seconds, counted from any moment. */
  constructor(cpu: () => number = cpuSeconds) {
    this.#cpu = cpu;
  }

  /** Counts what `act` uses. */
  run<T>(act: () => T): T {
    const before = current;
    if (before === this) return act();
    current = this;
    this.#since = this.#cpu();
    this.#depth = 0;
    try {
      return act();
    } finally {
      this.#spent += this.#cpu() - this.#since;
      current = before;
    }
  }

  step(): void {
    if (++this.#steps % STEPS !== 0) return;
    limited('visits', this.#steps);
    limited('cpu', this.#spent + this.#cpu() - this.#since);
  }

  made(bytes: number): void {
    this.#made += bytes;
    limited('made', this.#made);
  }

  replaced(characters: number): void {
    this.#replaced += characters;
    limited('text_of_all', this.#replaced);
  }

  inside<T>(act: () => T): T {
    limited('references', ++this.#depth);
    try {
      return act();
    } finally {
      this.#depth--;
    }
  }
}

/**
 * The meter of the current evaluation. An evaluation is one synchronous call, so there is never more than one;
 * passing it through every function that visits a value would add nothing.
 */
let current: Meter | undefined;

/** One value was visited or looked up. */
export function step(): void {
  current?.step();
}

/** About this number of bytes is kept from now on. */
export function made(bytes: number): void {
  current?.made(bytes);
}

/** This number of characters was written while references were replaced. */
export function replacedText(characters: number): void {
  current?.replaced(characters);
}

/** Runs `act` one level deeper, for the text of a reference. */
export function insideReference<T>(act: () => T): T {
  return current === undefined ? act() : current.inside(act);
}
