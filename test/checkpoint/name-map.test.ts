import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NameMap } from '../../src/checkpoint/name-map.js';

const name = fc.oneof(
  fc.string(),
  fc.nat().map(String),
  fc.constantFrom('', '#', '##', '#1', '1', '01', '__proto__', '4294967295', '-1'),
  fc.nat().map((n) => `#${n}`),
);

it('is a Map, whatever the names', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.nat())), fc.array(name), (entries, asked) => {
      const names = new NameMap<number>();
      const model = new Map<string, number>();
      for (const [key, value] of entries) {
        names.set(key, value);
        model.set(key, value);
      }
      expect([...names]).toEqual([...model]);
      expect([...names.entries()]).toEqual([...model]);
      expect([...names.keys()]).toEqual([...model.keys()]);
      expect([...names.values()]).toEqual([...model.values()]);
      expect(names.size).toBe(model.size);
      for (const key of [...asked, ...model.keys()]) {
        expect([names.get(key), names.has(key)]).toEqual([model.get(key), model.has(key)]);
      }
      const seen: unknown[] = [];
      names.forEach((value, key) => {
        seen.push([key, value]);
      });
      expect(seen).toEqual([...model]);
    }),
  );
});
