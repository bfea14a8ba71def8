import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { describe, expect, test } from 'vitest';
import { ThermosCommand } from '../../../src/cli/base-command.js';
import {
  type Commands,
  type CompletionSource,
  complete,
  type GivenRoots,
} from '../../../src/cli/completion/complete.js';
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
  static override args = { task: Args.string({ multiple: true, ignoreStdin: true }) };
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
  help: Help,
  read: Read,
  status: Status,
  tail: Tail,
};
const commands: Commands = {
  all: Object.fromEntries(Object.entries(CLASSES).map(([id, command]) => [id, async () => command])),
  base: ThermosCommand,
};
/** They look like another name, or make a line of their own, or were not UTF-8. */
const UNTELLABLE = ['evil\nname', 'esc\u001b', 'www\u200b', '\u3164', 'rtl\u202e', 'a\u00a0b', 'bytes\ufffd'];
let asked: GivenRoots | undefined;
const source: CompletionSource = {
  taskIds: (roots) => {
    asked = roots;
    return ['www-0', 'www-1', 'hello-1', 'hello-1', 'my task', '--json', '-', '', ...UNTELLABLE];
  },
  processes: (taskId, roots) => {
    asked = roots;
    return taskId === 'www-0' ? ['setup', 'web', '-f', '', ...UNTELLABLE] : [];
  },
  files: (directory) => {
    if (directory !== 'www-0:' && directory !== 'www-0:logs/') throw new Error('there is no such task');
    const names = directory === 'www-0:' ? ['.logs/', 'logs/', 'a:b', ...UNTELLABLE] : ['app.log'];
    return names.map((name) => `${directory}${name}`);
  },
};
const GLOBAL = ['--debug', '--help', '--json', '--mesos-root', '--no-color', '--no-pager', '--root'];

describe('complete', () => {
  test.each<[string[], string[]]>([
    [[''], ['completion', 'cp', 'help', 'read', 'status', 'tail']],
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
    [[], ['completion', 'cp', 'help', 'read', 'status', 'tail']],
  ])('%j', async (words, candidates) => {
    expect(await complete(words, commands, source)).toEqual(candidates);
  });

  test('looks where the line says, before the command and behind it', async () => {
    await complete(['--root', '/a', 'status', '--mesos_root=/b', '--root', '/c', ''], commands, source);
    expect(asked).toEqual({ root: ['/a', '/c'], 'mesos-root': ['/b'] });
    await complete(['tail', '--root', '/a', 'www-0', ''], commands, source);
    expect(asked).toEqual({ root: ['/a'], 'mesos-root': [] });
  });
});
