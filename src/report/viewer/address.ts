/** What the part of an address after `#` asks the viewer for. */
export interface Wanted {
  readonly agents: readonly string[];
  readonly masters: readonly string[];
  /** The key of a task that is shown; else the list is. */
  readonly task?: string;
  /** The address of a finished report, from a web server; it may be relative. */
  readonly report?: string;
}

const AGENT_PORT = '5051';
const MASTER_PORT = '5050';

/**
 * An address as a person types it, in full and without a slash at the end: `host`, `host:5051`, `http://host:5051/prefix`.
 * Undefined if it is not an http(s) address, or has a name and a password in it. Pure.
 */
export function serverAddress(text: string, port: string): string | undefined {
  const word = text.trim();
  const full = /^https?:\/\//i.test(word)
    ? word
    : `http://${/:\d+(?:\/|$)/.test(word) ? word : withPort(word, port)}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    return undefined;
  }
  if (url.username !== '' || url.password !== '' || url.hostname === '') return undefined;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function withPort(word: string, port: string): string {
  const slash = word.indexOf('/');
  return slash === -1 ? `${word}:${port}` : `${word.slice(0, slash)}:${port}${word.slice(slash)}`;
}

/** The words of a field: addresses with blanks or commas between them. Those that are none are told apart. Pure. */
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

/** Pure; what is no address is left out. */
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
