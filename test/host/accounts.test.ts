import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Accounts, findAccount, parsePasswd } from '../../src/host/accounts.js';
import { tempDir } from '../e2e/harness.js';

test('entries of passwd; what is none is left out', () => {
  const accounts = parsePasswd(
    [
      'root:x:0:0:root:/root:/bin/bash',
      'toor:x:0:0::/elsewhere:/bin/sh',
      '# a comment',
      '+::::::',
      'www-data:x:33:34:www data:/var/www:/usr/sbin/nologin',
      'short:x:44:45',
      'shorter:x:44',
      'bad:x:-1:0::/:',
      'bad:x:1:x::/:',
      '',
    ].join('\n'),
  );
  expect(accounts).toEqual([
    { name: 'root', uid: 0, gid: 0, home: '/root' },
    { name: 'toor', uid: 0, gid: 0, home: '/elsewhere' },
    { name: 'www-data', uid: 33, gid: 34, home: '/var/www' },
    { name: 'short', uid: 44, gid: 45, home: '' },
  ]);
});

describe('a user', () => {
  let temp: ReturnType<typeof tempDir>;
  let passwd: string;
  let asked: [user: string, timeoutMs: number][];
  let answer: (user: string) => string | undefined;
  const accounts = (patienceMs?: number) =>
    new Accounts({
      passwd,
      patienceMs,
      getent: (user, timeoutMs) => {
        asked.push([user, timeoutMs]);
        return answer(user);
      },
    });

  beforeEach(() => {
    temp = tempDir();
    passwd = join(temp.path, 'passwd');
    writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nroot:x:7:7::/:/bin/sh\n');
    asked = [];
    answer = (user) =>
      ['ann', '1000'].includes(user) ? 'ann:*:1000:1001:Ann:/home/ann:/bin/sh\nmore\n' : undefined;
  });
  afterEach(() => temp.remove());

  test('is first looked for in the file, where the first one counts', () => {
    const known = accounts();
    expect(known.find(0)).toEqual({ name: 'root', uid: 0, gid: 0, home: '/root' });
    expect(known.find('root')?.uid).toBe(0);
    expect(known.find('toor')?.home).toBe('/');
    expect(known.find(7)?.name).toBe('root');
    expect(asked).toEqual([]);
  });

  test('who is not in it is asked for, once', () => {
    const ann = { name: 'ann', uid: 1000, gid: 1001, home: '/home/ann' };
    const known = accounts();
    for (let i = 0; i < 3; i++) {
      expect([known.find('ann'), known.find(1000), known.find('nobody'), known.find(5)]).toEqual([
        ann,
        ann,
        undefined,
        undefined,
      ]);
    }
    expect(asked.map(([user]) => user)).toEqual(['ann', '1000', 'nobody', '5']);
  });

  test('is not one whose uid looks like the name, nor another who was answered', () => {
    const known = accounts();
    expect(known.find('1000')).toBeUndefined();
    answer = () => 'eve:*:0:0::/:/bin/sh\n';
    expect([known.find('bob'), known.find(2000)]).toEqual([undefined, undefined]);
    answer = () => 'nonsense';
    expect(known.find('zoe')).toBeUndefined();
  });

  test.each(['', 'a\0b', 'a\nb', 'a:b', 'x'.repeat(257), '\u001b[2J'])(
    '%j is asked for of nobody',
    (name) => {
      expect(accounts().find(name)).toBeUndefined();
      expect(asked).toEqual([]);
    },
  );

  test('is asked for as long as the answers do not take too long', () => {
    answer = () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
      return undefined;
    };
    const known = accounts(100);
    for (let uid = 1000; uid < 1100; uid++) expect(known.again().find(uid)).toBeUndefined();
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(asked[0]?.[1]).toBe(100);
    for (const [, timeoutMs] of asked.slice(1)) expect(timeoutMs).toBeLessThan(71);
  });

  test('a user added to the file is found when it is read again, and answers are kept', () => {
    const known = accounts();
    known.find('ann');
    writeFileSync(passwd, 'bob:x:5:5::/home/bob:/bin/sh\n');
    expect([known.find('bob'), known.find('root')?.uid]).toEqual([undefined, 0]);
    const later = known.again();
    expect([later.find('bob')?.uid, later.find('ann')?.uid, later.ofFile().length]).toEqual([5, 1000, 1]);
    expect(asked.map(([user]) => user)).toEqual(['ann', 'bob']);
  });

  test('is asked for if there is no file', () => {
    passwd = join(temp.path, 'none');
    expect([accounts().find('ann')?.uid, accounts().ofFile()]).toEqual([1000, []]);
  });

  test('beside a made-up file nobody is asked for', () => {
    expect(new Accounts({ passwd: join(temp.path, 'none') }).find(0)).toBeUndefined();
  });
});

test('of this machine: none of a name that is nobody’s, or that is an option', () => {
  const root = { name: 'root', uid: 0, gid: 0 };
  expect(findAccount('root')).toMatchObject(root);
  expect(findAccount(0)).toMatchObject(root);
  expect(findAccount('0')).toBeUndefined();
  for (const name of ['no-such-user', '', '--help', '-s', 'root\nroot', 4_123_456_789]) {
    expect([name, findAccount(name)]).toEqual([name, undefined]);
  }
});
