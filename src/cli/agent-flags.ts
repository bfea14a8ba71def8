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
  'credentials-file': Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['agent'],
    summary: 'Who you are to the agents: JSON that only you can read, with principal and secret, or a token.',
  }),
  ca: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['agent'],
    summary: 'The authorities that sign the certificates of agents, as PEM, instead of the known ones.',
  }),
  cert: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['agent', 'key'],
    summary: 'Your own certificate, as PEM, for agents that ask for one.',
  }),
  key: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['agent', 'cert'],
    summary: 'The private key of --cert, as PEM.',
  }),
  insecure: Flags.boolean({
    helpGroup,
    dependsOn: ['agent'],
    summary: 'Believe any certificate. Whoever is in between can read and change everything.',
  }),
};

/** The environment of these commands. */
export const AGENT_ENVIRONMENT: Readonly<Record<string, string>> = {
  THERMOS_CREDENTIALS_FILE: 'As --credentials-file, which wins; used only with --agent.',
};

/** What they give. */
export interface AgentFlags {
  agent?: string[];
  'credentials-file'?: string;
  ca?: string;
  cert?: string;
  key?: string;
  insecure?: boolean;
}
