import * as Args from '@oclif/core/args';
import { COLOUR_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { COMPLETION_SCRIPTS, type Shell } from '../cli/completion/scripts.js';

export default class Completion extends ThermosCommand {
  static override usesDefaults = false;
  static override summary = 'Print the completion script of a shell.';
  static override description =
    `The script completes commands, flags and their fixed values, task ids, process names, conditions of wait and
files in sandboxes. Commands that need a running task, such as kill, get only active ones. In zsh and fish, each candidate
has a few words beside it: the state, age and user of a task, or what a flag does. Tasks have them if there are at most 50.

For bash, add to ~/.bashrc: source <(<%= config.bin %> completion bash)

For zsh, add to ~/.zshrc after compinit: source <(<%= config.bin %> completion zsh)`;
  static override environment = COLOUR_ENVIRONMENT;
  static override files = {};
  static override examples = [
    '<%= config.bin %> completion bash > /etc/bash_completion.d/thermos',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/thermos.fish',
  ];
  static override args = {
    shell: Args.string({
      required: true,
      ignoreStdin: true,
      options: Object.keys(COMPLETION_SCRIPTS),
      description: 'The shell to print the script for.',
    }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Completion);
    const script = COMPLETION_SCRIPTS[args.shell as Shell];
    return this.answer(flags.json, { shell: args.shell, script }, () => script, []);
  }
}
