import * as Args from '@oclif/core/args';
import { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import { describe, expect, test } from 'vitest';
import { ThermosCommand } from '../../src/cli/base-command.js';
import type { UsageError } from '../../src/errors/errors.js';
import { REPOSITORY } from '../e2e/harness.js';

class Probe extends ThermosCommand {
  static override summary = 'For the tests.';
  static override args = {
    task: Args.string({ required: true, ignoreStdin: true }),
    process: Args.string({ multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    lines: Flags.integer({ char: 'n', helpValue: 'N' }),
    stdout: Flags.boolean({ exclusive: ['stderr'] }),
    stderr: Flags.boolean(),
    state: Flags.string({ options: ['a', 'b'] }),
    'max-age': Flags.string(),
  };

  async run(): Promise<number> {
    await this.words();
    return 0;
  }

  words() {
    return this.parse(Probe);
  }
}

function probe(...argv: string[]) {
  return probing(argv).words();
}

function probing(argv: string[]): Probe {
  const config = Object.assign(new Config({ root: REPOSITORY }), {
    bin: 'thermos',
    rootPlugin: { name: 'thermos', root: REPOSITORY, hooks: {} },
  });
  const command = new Probe(argv, config);
  command.id = 'probe';
  return command;
}

async function refusal(...argv: string[]): Promise<UsageError> {
  const error = await probing(argv)
    .invoke()
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toMatchObject({ exitCode: 2, code: 'usage' });
  return error as UsageError;
}

test('a flag that may be repeated leaves the arguments alone', async () => {
  const { args, flags } = await probe('--root', '/a', 'task', '--root', '/b', 'one', 'two');
  expect(flags.root).toEqual(['/a', '/b']);
  expect(args).toEqual({ task: 'task', process: ['one', 'two'] });
});

test("the original's spelling of flags", async () => {
  const { flags } = await probe('t', '--mesos_root', '/a_b', '--max_age', '1d_');
  expect(flags['mesos-root']).toEqual(['/a_b']);
  expect(flags['max-age']).toBe('1d_');
});

test('-- ends the flags', async () => {
  const { args, flags } = await probe('--', '--json', '-n');
  expect(args).toEqual({ task: '--json', process: ['-n'] });
  expect(flags.json).toBeUndefined();
});

test('THERMOS_CONTENT_TYPE, which oclif knows, changes nothing', async () => {
  process.env.THERMOS_CONTENT_TYPE = 'json';
  try {
    expect((await probe('t')).flags.json).toBeUndefined();
  } finally {
    delete process.env.THERMOS_CONTENT_TYPE;
  }
});

describe('a wrong command line', () => {
  test.each([
    [['t', '--lins', '5'], "unknown flag '--lins'", "did you mean '--lines'?"],
    [['t', '--x', '-y'], "unknown flags '--x', '-y'", undefined],
    [[], 'missing argument TASK', undefined],
    [['t', '-n', 'many'], "--lines takes a whole number, not 'many'", undefined],
    [['t', '--lines'], '--lines takes N, and no value is given', undefined],
    [['t', '--state', 'c'], "--state takes a or b, not 'c'", undefined],
    [['t', '--stdout', '--stderr'], '--stdout and --stderr cannot be used together', undefined],
    [['t', '-n', '1', '-n', '2'], '--lines may be given only once', undefined],
  ])('%j', async (argv, message, hint) => {
    const error = await refusal(...argv);
    expect(error.message).toBe(message);
    expect(error.hint).toBe(hint);
    expect(error.usage).toBe("thermos probe TASK [PROCESS...] [FLAGS]; see 'thermos probe --help'");
  });

  test('a value for a flag that takes none', async () => {
    expect((await refusal('t', '--json=false')).message).toBe('--json takes no value');
  });
});
