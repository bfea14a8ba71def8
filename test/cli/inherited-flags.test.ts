import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inertText, inheritedFlag, type OwnFlags, withoutInherited } from '../../src/cli/inherited-flags.js';
import type { KnownFlag } from '../../src/cli/words.js';

const FLAGS: Record<string, KnownFlag> = {
  json: { takesValue: false },
  debug: { takesValue: false },
  daemon: { takesValue: false },
  root: { takesValue: true },
};
const OWN: OwnFlags = {
  flagOf: (name) => (Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined),
  shortFlagOf: (word) => (word === '-n' ? { takesValue: true } : undefined),
  isWrapper: false,
};
const WRAPPER = { ...OWN, isWrapper: true };

const of = (line: string, own = OWN) => {
  const { words, inert, wrong } = withoutInherited(line.split(' '), own);
  return wrong === undefined ? [words.join(' '), inert.join(' ')] : wrong;
};

describe('the flags that the original inherited', () => {
  test.each([
    ['--log_dir=/tmp task', 'task', '--log_dir'],
    ['--log_dir /tmp task', 'task', '--log_dir'],
    ['--log-dir /tmp task', 'task', '--log_dir'],
    ['--log_simple task', 'task', '--log_simple'],
    ['--log_to_stderr google:INFO task', 'task', '--log_to_stderr'],
    ['--log_to_stderr=DEBUG --log_to_stderr ERROR task', 'task', '--log_to_stderr'],
    [
      '--scribe_port 1463 --scribe_buffer --scribe_host=h a',
      'a',
      '--scribe_port --scribe_buffer --scribe_host',
    ],
    ['--app_profiling --app_profile_output /x a', 'a', '--app_profiling --app_profile_output'],
    ['--app_pidfile=/x --app_daemon_stdout /y a', 'a', '--app_pidfile --app_daemon_stdout'],
    ['--json --log_dir --json a', '--json a', '--log_dir'],
  ])('%s', (line, words, inert) => {
    expect(of(line)).toEqual([words, inert]);
  });

  test.each([
    ['--log_to_disk=NONE --log_to_scribe google:NONE a', 'a'],
    ['--app_ignore_rc_file a', 'a'],
    ['--app_debug a', '--debug a'],
    ['--app_daemonize a', '--daemon a'],
    ['--daemon --app_daemonize a', '--daemon a'],
  ])('what is the case anyway, or has a flag of ours, is not said to do nothing: %s', (line, words) => {
    expect(of(line)).toEqual([words, '']);
  });

  test('a flag of the command that is run is not one of ours', () => {
    expect(of('--app_daemonize -- x --daemon', WRAPPER)).toEqual(['--daemon -- x --daemon', '']);
  });

  test('a command without such a flag of ours says so', () => {
    expect(of('--app_daemonize a', { ...OWN, flagOf: () => undefined })).toEqual(['a', '--app_daemonize']);
  });

  test.each([
    ['-- --log_dir /x', '-- --log_dir /x', ''],
    ['--log_simple -- --log_dir', '-- --log_dir', '--log_simple'],
    ['--root --log_simple a', '--root --log_simple a', ''],
    ['-n --log_simple a', '-n --log_simple a', ''],
    ['--__proto__ --constructor', '--__proto__ --constructor', ''],
  ])('values and the words after -- stay as they are: %s', (line, words, inert) => {
    expect(of(line)).toEqual([words, inert]);
  });

  test.each([
    ['--log_simple -n 1 mesos-agent --log_dir /x', '-n 1 mesos-agent --log_dir /x', '--log_simple'],
    ['--log_dir /x -- mesos-agent --log_dir /y', '-- mesos-agent --log_dir /y', '--log_dir'],
    ['- --log_simple', '- --log_simple', ''],
  ])("another program's command line keeps its flags: %s", (line, words, inert) => {
    expect(of(line, WRAPPER)).toEqual([words, inert]);
  });

  const LEVELS = 'DEBUG, INFO, WARN, ERROR, FATAL, NONE';
  test.each([
    ['--log_to_stderr task', `--log_to_stderr takes a level (${LEVELS}), and 'task' is not one`],
    ['--log_to_disk=info task', `--log_to_disk takes a level (${LEVELS}), and 'info' is not one`],
    ['--log_dir', '--log_dir takes a value, and no value is given'],
    ['--log_dir -- task', '--log_dir takes a value, and no value is given'],
    ['--log_simple=yes', '--log_simple takes no value'],
    ['--app_rc_filename task', '--app_rc_filename is not possible: thermos has no file of default flags'],
  ])('wrong: %s', (line, wrong) => {
    expect(of(line)).toBe(wrong);
  });

  test('a flag of ours wins over one of the same name', () => {
    const own = { ...OWN, flagOf: (name: string) => (name === 'log-dir' ? { takesValue: true } : undefined) };
    expect(of('--log_dir /x a', own)).toEqual(['--log_dir /x a', '']);
  });

  test('a line without them is left as it is', () => {
    const word = fc
      .string()
      .filter((each) => inheritedFlag(each.slice(2).split('=')[0] as string) === undefined);
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (words, isWrapper) => {
        expect(withoutInherited(words, { ...OWN, isWrapper })).toEqual({
          words,
          inert: [],
        });
      }),
    );
  });
});

test('one line says all that do nothing', () => {
  expect(inertText(['--log_dir'])).toBe('--log_dir is a flag of the original and does nothing here');
  expect(inertText(['--a', '--b', '--c'])).toBe(
    '--a, --b and --c are flags of the original and do nothing here',
  );
});
