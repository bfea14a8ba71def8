import * as Flags from '@oclif/core/flags';
import { UsageError } from '../errors/errors.js';

const helpGroup = 'AGENT';

const AGENT_ADDRESSES = ['hostname', 'ip', 'proxy'] as const;

/** The flags of the commands that agents can be asked instead of this host. */
export const AGENT_FLAGS = {
  agent: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'URL',
    helpGroup,
    exclusive: ['root', 'mesos-root', 'master'],
    summary: 'Mesos agent to ask over HTTP instead of looking on this host; may be repeated.',
  }),
  master: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'URL',
    helpGroup,
    exclusive: ['root', 'mesos-root'],
    summary:
      'Mesos master whose agents to ask: HOST:PORT, http://…, zk://HOST:PORT,…/PATH, file:///PATH; may be repeated.',
  }),
  'agent-address': Flags.option({
    options: AGENT_ADDRESSES,
    helpGroup,
    exclusive: ['agent'],
    summary:
      'Which address of the agents of a master to use: the name of the host, its IP address, or MASTER/agent/ID.',
  })(),
  'credentials-file': Flags.string({
    helpValue: 'FILE',
    helpGroup,
    summary: 'Who you are to the agents: JSON that only you can read, with principal and secret, or a token.',
  }),
  ca: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    summary: 'The authorities that sign the certificates of agents, as PEM, instead of the known ones.',
  }),
  cert: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['key'],
    summary: 'Your own certificate, as PEM, for agents that ask for one.',
  }),
  key: Flags.string({
    helpValue: 'FILE',
    helpGroup,
    dependsOn: ['cert'],
    summary: 'The private key of --cert, as PEM.',
  }),
  insecure: Flags.boolean({
    helpGroup,
    summary: 'Accept any certificate. Anybody in between can read and change everything.',
  }),
};

/** The environment of these commands. */
export const AGENT_ENVIRONMENT: Readonly<Record<string, string>> = {
  THERMOS_MASTER:
    'Same as --master, used without --master, --agent, --root and --mesos-root; several are separated by blanks.',
  THERMOS_CREDENTIALS_FILE: 'Same as --credentials-file, which wins; used only with agents and masters.',
};

/** The values of these flags. */
export interface AgentFlags {
  agent?: string[];
  master?: string[];
  'agent-address'?: (typeof AGENT_ADDRESSES)[number];
  'credentials-file'?: string;
  ca?: string;
  cert?: string;
  key?: string;
  insecure?: boolean;
  /** From a file of defaults. */
  defaultAgents?: DefaultAgents;
}

/** What is asked instead of this host: agents, or the agents of masters. */
export type Asked = { readonly agents: readonly string[] } | AskedMasters;

/** What files of defaults say about agents and masters. */
export interface DefaultAgents {
  /** Masters, by a name for them. */
  readonly masters?: Readonly<Record<string, string>>;
  readonly credentialsFile?: string;
}

export interface AskedMasters {
  readonly masters: readonly string[];
  /** `word`: the masters of the clusters that TASK words name; none if they are not known. */
  readonly source: 'flag' | 'environment' | 'word';
}

/** What the flags name, or else THERMOS_MASTER; undefined if they name nobody. Pure. */
export function whatIsAsked(
  flags: AgentFlags & { root?: string[]; 'mesos-root'?: string[] },
  env: Readonly<Record<string, string | undefined>>,
): Asked | undefined {
  const { agent, master, root, 'mesos-root': mesosRoot } = flags;
  if (agent !== undefined) return { agents: agent };
  if (master !== undefined) return { masters: master, source: 'flag' };
  const masters = (env.THERMOS_MASTER ?? '').split(/\s+/).filter((word) => word !== '');
  if (masters.length > 0 && root === undefined && mesosRoot === undefined) {
    return { masters, source: 'environment' };
  }
  return undefined;
}

/** Throws UsageError if a flag is given that says how agents are asked; for who asks none. Pure. */
export function refuseNeedless(flags: AgentFlags): void {
  const needless = ONLY_WITH_AGENTS.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (needless !== undefined) throw new UsageError('usage', `--${needless} needs --agent or --master`);
}

const ONLY_WITH_AGENTS = ['agent-address', 'credentials-file', 'ca', 'cert', 'key', 'insecure'] as const;
