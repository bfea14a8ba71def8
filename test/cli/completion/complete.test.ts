import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { describe, expect, test } from 'vitest';
import { ThermosCommand } from '../../../src/cli/base-command.js';
import { type Commands, type CompletionSource, complete } from '../../../src/cli/completion/complete.js';
import type { CompletionKinds } from '../../../src/cli/completion/kinds.js';
import type { GivenRoots } from '../../../src/cli/completion/line.js';
import type { CommandClass } from '../../../src/cli/page.js';

abstract class Silent extends ThermosCommand {
  async run(): Promise<number> {
    return 0;
  }
}
class Tail extends Silent {
  static override args = {
    task: Args.string({ required: true, ignoreStdin: true }),
    process: Args.string({ multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    lines: Flags.string({ char: 'n' }),
    follow: Flags.boolean({ char: 'f' }),
    stream: Flags.string({ options: ['stdout', 'stderr'] }),
    secret: Flags.boolean({ hidden: true }),
  };
}
class Status extends Silent {
  static override summary = 'Show tasks of <%= config.bin %>.';
  static override args = { task: Args.string({ multiple: true, ignoreStdin: true }) };
  static override flags = {
    state: Flags.string({ multiple: true, delimiter: ',', options: ['FAILED', 'LOST', 'SUCCESS'] }),
    verbosity: Flags.integer({ min: 0, max: 3 }),
    limit: Flags.integer({ min: 1 }),
    orphans: Flags.boolean({ allowNo: true, summary: 'End orphans.' }),
  };
}
class Signal extends Silent {
  static override completes: CompletionKinds = { task: 'active-task', process: 'running-process' };
  static override args = {
    task: Args.string({ ignoreStdin: true }),
    process: Args.string({ ignoreStdin: true }),
    signal: Args.string({ ignoreStdin: true }),
  };
}
class Exec extends Silent {
  static override completes: CompletionKinds = { task: 'active-task', process: 'running-process' };
  static override args = {
    task: Args.string({ ignoreStdin: true }),
    process: Args.string({ ignoreStdin: true }),
    command: { ...Args.string({ ignoreStdin: true }), repeats: true, afterDashes: true },
  };
}
class Wait extends Silent {
  static override completes: CompletionKinds = { for: 'condition' };
  static override args = { task: Args.string({ ignoreStdin: true }) };
  static override flags = { for: Flags.string({ multiple: true }) };
}
class Run extends Silent {
  static override completes: CompletionKinds = {
    again: 'task',
    only: 'config-process',
    from: 'config-process',
  };
  static override args = { config: Args.string({ ignoreStdin: true }) };
  static override flags = {
    again: Flags.string(),
    only: Flags.string({ multiple: true, delimiter: ',' }),
    from: Flags.string(),
  };
}
class Help extends Silent {
  static override args = {
    command: Args.string({ ignoreStdin: true }),
    code: Args.string({ ignoreStdin: true }),
  };
}
class Completion extends Silent {
  static override args = { shell: Args.string({ options: ['bash', 'zsh'], ignoreStdin: true }) };
}
class Cp extends Silent {
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true }),
    dest: { ...Args.string({ required: true, ignoreStdin: true }), repeats: true },
  };
}
class Read extends Silent {
  static override args = { checkpoint: Args.string({ ignoreStdin: true }) };
}

const CLASSES: Record<string, CommandClass> = {
  completion: Completion,
  cp: Cp,
  exec: Exec,
  help: Help,
  read: Read,
  run: Run,
  signal: Signal,
  status: Status,
  tail: Tail,
  wait: Wait,
};
const IDS = ['completion', 'cp', 'exec', 'help', 'read', 'run', 'signal', 'status', 'tail', 'wait'];
const commands: Commands = {
  all: Object.fromEntries(Object.entries(CLASSES).map(([id, command]) => [id, async () => command])),
  base: ThermosCommand,
};
/** They look like another name, or make a line of their own, or were not UTF-8. */
const UNTELLABLE = ['evil\nname', 'esc\u001b', 'www\u200b', '\u3164', 'rtl\u202e', 'a\u00a0b', 'bytes\ufffd'];
let asked: GivenRoots | undefined;
const source: CompletionSource = {
  taskIds: (roots, phase) => {
    asked = roots;
    if (phase === 'active') return ['www-1', 'my task'];
    return ['www-0', 'www-1', 'hello-1', 'hello-1', 'my task', '--json', '-', '', ...UNTELLABLE];
  },
  aboutTasks: (ids) => new Map(ids.filter((id) => id !== 'www-1').map((id) => [id, `about ${id}`])),
  processes: (taskId, roots) => {
    asked = roots;
    return taskId === 'www-0' ? ['setup', 'web', '-f', '', ...UNTELLABLE] : [];
  },
  runningProcesses: (taskId) =>
    taskId === 'www-1' ? ['web', '-f', ...UNTELLABLE].map((word) => ({ word, text: 'pid 1' })) : [],
  configProcesses: (path) => (path === 'web.json' ? ['build', 'it: all', ...UNTELLABLE] : []),
  files: (directory) => {
    if (directory !== 'www-0:' && directory !== 'www-0:logs/') throw new Error('there is no such task');
    const names = directory === 'www-0:' ? ['.logs/', 'logs/', 'a:b', ...UNTELLABLE] : ['app.log'];
    return names.map((name) => `${directory}${name}`);
  },
};
const GLOBAL = ['--debug', '--help', '--json', '--mesos-root', '--no-color', '--no-pager', '--root'];

describe('complete', () => {
  test.each<[string[], string[]]>([
    [[''], IDS],
    [['st'], ['status']],
    [['x'], []],
    [['-'], GLOBAL],
    [['--json', 'ta'], ['tail']],
    [['--root', ''], []],
    [['--root', '/x', 'he'], ['help']],
    [['--mesos_root', ''], []],
    [['nonesuch', ''], []],
    [['--log_dir', ''], []],
    [['--log_dir', '/x', 'he'], ['help']],
    [['status', '--log_dir', ''], []],
    [
      ['status', '--log_dir', '/x', '--log_simple', 'www'],
      ['www-0', 'www-1'],
    ],
    [['tail', '--log_to_stderr=INFO', 'www-0', 's'], ['setup']],
    [['status', '--log_'], []],
    [
      ['status', ''],
      ['hello-1', 'my task', 'www-0', 'www-1'],
    ],
    [['status', 'www-0', 'www'], ['www-1']],
    [['status', '--json', 'he'], ['hello-1']],
    [['status', '--root', ''], []],
    [['status', '--root', '/r', 'he'], ['hello-1']],
    [
      ['status', '--', ''],
      ['-', '--json', 'hello-1', 'my task', 'www-0', 'www-1'],
    ],
    [['status', '--', '--j'], ['--json']],
    [
      ['tail', '--', 'www-0', ''],
      ['-f', 'setup', 'web'],
    ],
    [['status', '--j'], ['--json']],
    [['tail', '--'], [...GLOBAL, '--lines', '--follow', '--stream'].sort()],
    [['tail', '-'], [...GLOBAL, '--lines', '--follow', '--stream'].sort()],
    [
      ['tail', '--stream', ''],
      ['stderr', 'stdout'],
    ],
    [['tail', '--stream', 'stde'], ['stderr']],
    [['tail', '--stream=stdo'], ['--stream=stdout']],
    [['tail', '--lines', 'w'], []],
    [['tail', '-n', 'w'], []],
    [
      ['tail', '-n5', 'www-0', ''],
      ['setup', 'web'],
    ],
    [
      ['tail', '-f', 'www-0', ''],
      ['setup', 'web'],
    ],
    [['tail', '-n', '5', 'www-0', 'web', ''], ['setup']],
    [['tail', 'www-1', ''], []],
    [
      ['cp', 'www'],
      ['www-0:', 'www-1:'],
    ],
    [
      ['cp', 'www-0:'],
      ['www-0:.logs/', 'www-0:a:b', 'www-0:logs/'],
    ],
    [['cp', 'www-0:l'], ['www-0:logs/']],
    [['cp', 'www-0:logs/'], ['www-0:logs/app.log']],
    [['cp', 'www-1:'], []],
    [['cp', 'www-9:x'], []],
    [['cp', 'www-0:logs/app.log', ''], []],
    [['cp', 'www-0:logs/app.log', './w'], []],
    [
      ['cp', 'www-0:logs/app.log', 'w'],
      ['www-0:', 'www-1:'],
    ],
    [['cp', 'www-0:logs/app.log', 'www-0:a'], ['www-0:a:b']],
    [['help', 'st'], ['status']],
    [
      ['help', 'c'],
      ['codes', 'completion', 'config', 'cp'],
    ],
    [
      ['help', 'codes', 'runner-d'],
      ['runner-dead', 'runner-died'],
    ],
    [['help', 'status', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh'],
    ],
    [['read', ''], []],
    [
      ['signal', ''],
      ['my task', 'www-1'],
    ],
    [['signal', 'www-1', ''], ['web']],
    [['signal', 'www-0', ''], []],
    [['signal', 'www-1', 'web', 'QU'], ['QUIT']],
    [['signal', 'www-1', 'web', 'SIGH'], ['SIGHUP']],
    [['exec', 'w'], ['www-1']],
    [['exec', 'www-1', 'w'], ['web']],
    [['exec', 'www-1', 'web', ''], []],
    [['exec', 'www-1', '--', ''], []],
    [['exec', 'www-1', 'web', '--', ''], []],
    [['exec', '--', ''], []],
    [['wait', '--for', ''], ['process=']],
    [['wait', '--for', 'process='], []],
    [['wait', 'www-1', '--for', 'process=w'], []],
    [
      ['wait', 'www-0', '--for', ''],
      ['process=-f:', 'process=setup:', 'process=web:'],
    ],
    [['wait', 'www-0', '--for=process=w'], ['--for=process=web:']],
    [['wait', 'www-0', '--for', 'process=web:R'], ['process=web:RUNNING']],
    [
      ['wait', 'www-0', '--for', 'process=web:'],
      ['FAILED', 'FORKED', 'KILLED', 'LOST', 'RUNNING', 'SUCCESS', 'WAITING'].map(
        (each) => `process=web:${each}`,
      ),
    ],
    [
      ['run', 'web.json', '--from', ''],
      ['build', 'it: all'],
    ],
    [['run', 'web.json', '--only', 'build,'], ['build,it: all']],
    [['run', 'web.json', '--only=it'], ['--only=it: all']],
    [['run', '--from', ''], []],
    [
      ['run', '--again', 'www-0', '--from', ''],
      ['setup', 'web'],
    ],
    [
      ['run', '--again', 'ww'],
      ['www-0', 'www-1'],
    ],
    [['run', '--again=my'], ['--again=my task']],
    [
      ['status', '--state', ''],
      ['FAILED', 'LOST', 'SUCCESS'],
    ],
    [
      ['status', '--state', 'LOST,'],
      ['LOST,FAILED', 'LOST,SUCCESS'],
    ],
    [['status', '--state=FAILED,LOST,S'], ['--state=FAILED,LOST,SUCCESS']],
    [
      ['status', '--verbosity', ''],
      ['0', '1', '2', '3'],
    ],
    [['status', '--limit', ''], []],
    [['status', '--no-o'], ['--no-orphans']],
    [[], IDS],
  ])('%j', async (words, candidates) => {
    const found = await complete(words, commands, source, false);
    expect(found.map(({ word }) => word)).toEqual(candidates);
  });

  test('after run --again TASK there is no config: flags are offered, so that shells offer no files', async () => {
    const found = await complete(['run', '--again', 'www-0', ''], commands, source, false);
    expect(found.map(({ word }) => word)).toContain('--only');
    expect(found.every(({ word }) => word.startsWith('--'))).toBe(true);
  });

  test('says about tasks, running processes, commands and flags what they are, if it is asked to', async () => {
    const described = async (...words: string[]) => {
      const found = await complete(words, commands, source, true);
      return found.map(({ word, text }) => [word, text]);
    };
    expect(await described('status', 'w')).toEqual([
      ['www-0', 'about www-0'],
      ['www-1', undefined],
    ]);
    expect(await described('signal', 'm')).toEqual([['my task', 'about my task']]);
    expect(await described('run', '--again=my')).toEqual([['--again=my task', 'about my task']]);
    expect(await described('signal', 'www-1', '')).toEqual([['web', 'pid 1']]);
    expect(await described('sta')).toEqual([['status', 'Show tasks of thermos.']]);
    expect(await described('help', 'sta')).toEqual([['status', 'Show tasks of thermos.']]);
    expect((await described('help', 'conf'))[0]?.[1]).toContain('defaults');
    expect(await described('status', '--orph')).toEqual([['--orphans', 'End orphans.']]);
    expect(await described('--js')).toEqual([['--json', 'Print JSON: one document, or one per line.']]);
  });

  test('reads no task among very many', async () => {
    const many: CompletionSource = {
      ...source,
      taskIds: () => Array.from({ length: 51 }, (_, i) => `id-${i}`),
      aboutTasks: () => expect.fail('they are read'),
    };
    const found = await complete(['status', ''], commands, many, true);
    expect(found.map(({ text }) => text)).toEqual(Array(51).fill(undefined));
  });

  test('looks where the line says, before the command and behind it', async () => {
    await complete(
      ['--root', '/a', 'status', '--mesos_root=/b', '--root', '/c', ''],
      commands,
      source,
      false,
    );
    expect(asked).toEqual({ root: ['/a', '/c'], 'mesos-root': ['/b'] });
    await complete(['tail', '--root', '/a', 'www-0', ''], commands, source, false);
    expect(asked).toEqual({ root: ['/a'], 'mesos-root': [] });
  });
});
