/**
 * A map by names that other users choose. V8 hashes strings with a secret seed, but up to Node 20.20.1, 22.22.1 and
 * 24.14.0 not those that are the digits of an integer. Those can be chosen to collide in a Map: 65,000 such names take
 * seconds. After another character, digits are hashed as any other string.
 */
export class NameMap<V> implements ReadonlyMap<string, V> {
  readonly #entries = new Map<string, V>();

  get size(): number {
    return this.#entries.size;
  }

  get(name: string): V | undefined {
    return this.#entries.get(keyOf(name));
  }

  has(name: string): boolean {
    return this.#entries.has(keyOf(name));
  }

  set(name: string, value: V): this {
    this.#entries.set(keyOf(name), value);
    return this;
  }

  *entries(): Generator<[string, V], undefined, unknown> {
    for (const [key, value] of this.#entries) yield [nameOf(key), value];
  }

  *keys(): Generator<string, undefined, unknown> {
    for (const key of this.#entries.keys()) yield nameOf(key);
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }

  [Symbol.iterator](): Generator<[string, V], undefined, unknown> {
    return this.entries();
  }

  forEach(callback: (value: V, name: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [name, value] of this) callback(value, name, this);
  }
}

const MARK = '#';

/** The key has the mark in front if the name begins with a digit or the mark itself, so no two names share a key. */
function keyOf(name: string): string {
  const first = name.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || first === 0x23 ? MARK + name : name;
}

function nameOf(key: string): string {
  return key.startsWith(MARK) ? key.slice(1) : key;
}
