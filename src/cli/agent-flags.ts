import * as Flags from '@oclif/core/flags';

const helpGroup = 'AGENTS';

/** The flags of the commands that agents can be asked instead of this host. */
export const AGENT_FLAGS = {
  agent: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'URL',
    helpGroup,
    exclusive: ['root', 'mesos-root'],
    summary: 'Mesos agent to ask over HTTP instead of looking on this host; may be repeated.',
  }),
};

/** What they give. */
export interface AgentFlags {
  agent?: string[];
}
