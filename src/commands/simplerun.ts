import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { prepareCommand } from '../app/prepare-command.js';
import { ThermosCommand } from '../cli/base-command.js';
import { parseBinding, parsePort } from '../cli/config-words.js';
import { expectSignals } from '../cli/run-control.js';
import { RUN_EXIT_CODES, RUN_FLAGS } from '../cli/run-flags.js';
import { runTask } from '../cli/run-task.js';

export default class Simplerun extends ThermosCommand {
  static override summary = 'Run one command as a task.';
  static override description =
    `Several words are a command and its arguments; each is passed on unchanged, with its blanks and quotes. A single
word is a command line for bash. On a pipe, the stdout and stderr of the command are passed on unchanged.

-E replaces {{NAME}} in the command with VALUE, and sets NAME in its environment. The task has one process with the
name of the task. It ends as that process ends, and all other commands see it like any task.`;
  static override examples = [
    '<%= config.bin %> simplerun -- make test',
    '<%= config.bin %> simplerun --name backup --daemon -- tar czf /tmp/home.tgz /home',
    '<%= config.bin %> simplerun "sleep 5; echo done"',
    '<%= config.bin %> simplerun --environment WHO=world -- echo "hello {{WHO}}"',
  ];
  static override exitCodes = { ...ThermosCommand.exitCodes, ...RUN_EXIT_CODES };
  static override seeAlso = ['run', 'tail', 'wait', 'kill'];

  static override strict = false;
  static override args = {
    command: {
      ...Args.string({ required: true, ignoreStdin: true, description: 'The command and its arguments.' }),
      repeats: true,
    },
  };

  static override flags = {
    name: Flags.string({ default: 'simple', summary: 'The name of the task.' }),
    ...RUN_FLAGS,
  };

  async run(): Promise<number> {
    expectSignals();
    const { raw, flags } = await this.parse(Simplerun);
    const words = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const { name, user, environment = [], port = [], 'task-id': taskId } = flags;
    const bindings = environment.map(parseBinding);
    const options = { name, user, taskId, bindings, ports: new Map(port.map(parsePort)) };
    const prepared = prepareCommand(words, options, this.terminal.now());
    const answer = await runTask(prepared, flags, this.terminal, {
      raw: true,
      report: (problems) => this.report(problems),
      notice: ({ task }) => this.notice(`task ${task.taskId}, sandbox ${task.sandbox}`),
    });
    const { document, text, problems, exitCode } = answer;
    // The result is the last that is shown.
    this.report(problems);
    // The output of the command itself is the answer.
    if (flags.json || flags.daemon || this.terminal.stdoutIsTerminal) {
      this.answer(flags.json, document, text, []);
    } else this.terminal.writeError(text(this.terminal.style(2)));
    return exitCode;
  }
}
