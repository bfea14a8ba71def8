import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { thermos } from './harness.js';

/** As many bytes as the page may have. */
const MOST = 150 * 1024;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('report --viewer', () => {
  const { stdout, stderr, status } = thermos(['report', '--viewer']);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(stdout)?.[1] ?? '';

  test('prints one small page that refers to no other, and nothing else', () => {
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
    expect(Buffer.byteLength(stdout)).toBeLessThan(MOST);
    expect(stdout).not.toMatch(/(?:src|href)="(?!#|data:)/);
  });

  test('names each of its scripts and styles in its policy, and allows scripts from servers for what agents answer', () => {
    const [packed = '', start = ''] = [...stdout.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(
      ([, text]) => text,
    );
    const program = inflateRawSync(Buffer.from(packed, 'base64')).toString('utf8');
    const styles = [...stdout.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) =>
      hashOf(text as string),
    );
    const directives = Object.fromEntries(
      policy.split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1)]),
    );
    expect(directives).toEqual({
      'default-src': ["'none'"],
      'script-src': [hashOf(start), hashOf(program), expect.stringMatching(/^'sha256-/), 'http:', 'https:'],
      'style-src': styles,
      'img-src': ['data:'],
      'connect-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
    });
  });

  test.each([
    [['web-0'], '--viewer takes no TASK'],
    [['--trace'], '--viewer and --trace cannot be used together'],
    [['--out', 'x'], 'cannot be used together'],
    [['--watch'], 'cannot be used together'],
  ])('with %j is a usage error', (words, message) => {
    const refused = thermos(['report', '--viewer', ...words]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain(message);
  });
});
