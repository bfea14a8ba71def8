import * as Flags from '@oclif/core/flags';

/** The flags that choose processes of a task. */
const SELECTION_FLAGS = {
  only: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    exclusive: ['from'],
    helpValue: 'PROCESS,...',
    summary: 'Run only these processes of the task; may be repeated.',
  }),
  from: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PROCESS,...',
    summary:
      'Run only these processes of the task, those that wait for them, and final ones; may be repeated.',
  }),
};

/** The flags that inspecting and running a config share. */
export const CONFIG_FLAGS = {
  task: Flags.string({ helpValue: 'NAME', summary: 'The task, if the config has several.' }),
  environment: Flags.string({
    char: 'E',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Bind {{NAME}} in the config to VALUE; may be repeated.',
  }),
  port: Flags.string({
    char: 'P',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME:PORT',
    summary: 'Bind {{thermos.ports[NAME]}} to PORT; may be repeated.',
  }),
  job: Flags.string({
    helpValue: 'NAME',
    summary: 'The job, if the .aurora file has several: its name, or the end of its key.',
  }),
  instance: Flags.string({ helpValue: 'N', summary: 'The instance of the job. [default: 0]' }),
  ...SELECTION_FLAGS,
};
