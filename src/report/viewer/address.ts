import { AGENT_PORT, serverAddress } from '../../agent/address.js';

/** What the part of an address after `#` asks the viewer for. */
export interface Wanted {
  readonly agents: readonly string[];
  readonly masters: readonly string[];
  /** The key of a task that is shown; else the list is. */
  readonly task?: string;
  /** The address of a finished report, from a web server; it may be relative. */
  readonly report?: string;
}

const MASTER_PORT = '5050';

/**
 * The words of a field: addresses with blanks or commas between them. Those that are not addresses are listed
 * separately. Pure.
 */
export function addressesIn(text: string, kind: 'agent' | 'master'): { good: string[]; bad: string[] } {
  const good: string[] = [];
  const bad: string[] = [];
  for (const word of text.split(/[\s,]+/).filter((each) => each !== '')) {
    const address = serverAddress(word, kind === 'agent' ? AGENT_PORT : MASTER_PORT);
    if (address === undefined) bad.push(word);
    else if (!good.includes(address)) good.push(address);
  }
  return { good, bad };
}

/** Pure; what is not an address is left out. */
export function wantedBy(hash: string): Wanted {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const all = (kind: 'agent' | 'master') => addressesIn(words.getAll(kind).join(' '), kind).good;
  const report = words.get('report') ?? '';
  return {
    agents: all('agent'),
    masters: all('master'),
    task: words.get('task') ?? undefined,
    report: /^(?:https?:\/\/|(?![a-z][a-z\d+.-]*:).)/i.test(report) ? report : undefined,
  };
}

/** The other way round. Pure. */
export function hashOf({ agents, masters, task, report }: Wanted): string {
  const words = new URLSearchParams();
  for (const agent of agents) words.append('agent', agent);
  for (const master of masters) words.append('master', master);
  if (task !== undefined) words.set('task', task);
  if (report !== undefined) words.set('report', report);
  // Addresses stay readable.
  return `#${words.toString().replaceAll('%3A', ':').replaceAll('%2F', '/')}`;
}
