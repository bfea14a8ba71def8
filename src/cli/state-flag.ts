import * as Flags from '@oclif/core/flags';

/** The flag `--state`: names of states, in any case, with commas between them or repeated. */
export function stateFlag(options: readonly string[], summary: string) {
  return Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    options: [...options],
    parse: async (state) => state.toUpperCase(),
    helpValue: 'STATE,…',
    summary,
  });
}
