import * as Flags from '@oclif/core/flags';

/** What inspecting and running a config have in common. */
export const CONFIG_FLAGS = {
  task: Flags.string({ helpValue: 'NAME', summary: 'The task of a config that has several.' }),
  environment: Flags.string({
    char: 'E',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Bind {{NAME}} in the config to a value; may be repeated.',
  }),
  port: Flags.string({
    char: 'P',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME:PORT',
    summary: 'Give {{thermos.ports[NAME]}} a port; may be repeated.',
  }),
  job: Flags.string({
    helpValue: 'NAME',
    summary: 'The job of an .aurora file that has several: its name, or the end of its key.',
  }),
  instance: Flags.string({ helpValue: 'N', summary: 'Which instance of the job to be; 0 if not given.' }),
};
