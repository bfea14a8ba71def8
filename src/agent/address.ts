export const AGENT_PORT = '5051';

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
