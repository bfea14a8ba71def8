import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cgroupMounts,
  coresOf,
  parseCgroups,
  parseCpuMax,
  parseFlatKeyed,
  parseLimit,
  parseNumber,
  parsePressure,
  parseProcs,
  placeOf,
} from '../../src/host/cgroup.js';
import { parseMounts } from '../../src/host/mounts.js';

describe('/proc/PID/cgroup', () => {
  test('has a line for each hierarchy of version 1, and one of version 2', () => {
    expect(parseCgroups('9:name=systemd:/init.scope\n1:cpu,cpuacct:/a:b/c\n0::/x y\n')).toEqual([
      { controllers: ['name=systemd'], path: '/init.scope' },
      { controllers: ['cpu', 'cpuacct'], path: '/a:b/c' },
      { controllers: ['unified'], path: '/x y' },
    ]);
  });

  test('a cgroup that was removed is left out, and so is what is not such a line', () => {
    expect(parseCgroups('0::/a (deleted)\n3::/b\nx:cpu:/c\n2:cpu:d\n\n')).toEqual([]);
  });
});

/** Of version 1, over a tmpfs; one hierarchy is hidden by a later mount. */
const MOUNTS = parseMounts(
  [
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '33 31 0:30 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '34 31 0:31 / /hidden/pids rw - cgroup cgroup rw,pids',
    '35 31 0:32 / /hidden rw - tmpfs tmpfs rw',
    '36 31 0:33 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw',
  ].join('\n'),
);

describe('where a cgroup is', () => {
  const mounts = cgroupMounts(MOUNTS);
  const at = (controllers: string[], path: string) => {
    const place = placeOf({ controllers, path }, mounts);
    return place && [place.mount.path, ...place.names].join('/');
  };

  test('is below the mount of its hierarchy', () => {
    expect(at(['cpu', 'cpuacct'], '/a/b')).toBe('/sys/fs/cgroup/cpu,cpuacct/a/b');
    expect(at(['unified'], '/a/b')).toBe('/sys/fs/cgroup/uni fied/a/b');
    expect(at(['unified'], '/')).toBe('/sys/fs/cgroup/uni fied');
  });

  test('is not known if only another cgroup is mounted', () => {
    expect(at(['memory'], '/docker/1/x')).toBe('/sys/fs/cgroup/memory/x');
    expect(at(['memory'], '/docker/1')).toBe('/sys/fs/cgroup/memory');
    expect(at(['memory'], '/docker/12')).toBeUndefined();
    expect(at(['memory'], '/')).toBeUndefined();
  });

  test('is not known if its hierarchy is not mounted, is covered, or it is outside of our namespace', () => {
    expect(at(['blkio'], '/a')).toBeUndefined();
    expect(at(['pids'], '/a')).toBeUndefined();
    expect(at(['unified'], '/../a')).toBeUndefined();
  });
});

describe('files of a cgroup', () => {
  test('cpu.stat and memory.events are lines of a key and a number', () => {
    expect([...parseFlatKeyed('usage_usec 5\nnr_periods 1\nbad\nneg -1\nmany 1 2\n')]).toEqual([
      ['usage_usec', 5],
      ['nr_periods', 1],
    ]);
  });

  test('a limit that is not set is undefined', () => {
    expect(parseLimit('67108864\n')).toBe(67108864);
    expect(['max\n', '9223372036854771712\n', '-1\n', '', 'x'].map(parseLimit)).toEqual(
      Array(5).fill(undefined),
    );
    expect(parseCpuMax('150000 100000\n')).toBe(1.5);
    expect(['max 100000\n', '', '1', '5 0', '-1 100000'].map(parseCpuMax)).toEqual(Array(5).fill(undefined));
    expect(coresOf(-1, 100000)).toBeUndefined();
    expect(parseNumber('max')).toBeUndefined();
  });

  test('pressure is the share of the last ten seconds', () => {
    const text =
      'some avg10=15.55 avg60=3.18 avg300=0.68 total=2044956\nfull avg10=1.00 avg60=0 avg300=0 total=1\n';
    expect(parsePressure(text)).toBe(15.55);
    expect(parsePressure('full avg10=1.00 avg60=0 avg300=0 total=1\n')).toBeUndefined();
  });

  test('processes without a pid in our namespace are left out', () => {
    expect(parseProcs('0\n12\nx\n13\n')).toEqual([12, 13]);
  });

  test('any text is read without trouble, and gives no number below 0', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('0', '9', ':', '/', ' ', '\n', '-', 'a', '.', '=', 'some avg10=') }),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (given) => {
        const numbers = [
          ...parseFlatKeyed(given).values(),
          ...parseProcs(given),
          parseLimit(given),
          parseCpuMax(given),
          parsePressure(given),
        ];
        for (const number of numbers) if (number !== undefined) expect(number).toBeGreaterThanOrEqual(0);
        for (const membership of parseCgroups(given)) placeOf(membership, cgroupMounts(MOUNTS));
      }),
    );
  });
});
