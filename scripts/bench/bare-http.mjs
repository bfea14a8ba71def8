// The same calls as thermos made, with Node's client of HTTP alone: node bare-http.mjs PORT CALLS.json [CONNECTIONS]

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

const [port, file, connections = '256'] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(file, 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
let next = 0;

function ask([path, body]) {
  const headers = { Accept: 'application/json' };
  if (path.endsWith('/state')) headers['Accept-Encoding'] = 'gzip';
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    headers['Content-Length'] = Buffer.byteLength(body);
  }
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers,
      agent,
    };
    const made = request(options, (response) => {
      response.on('data', () => {});
      response.on('end', resolve);
    });
    made.on('error', reject);
    made.end(body);
  });
}

async function askAll() {
  while (next < calls.length) await ask(calls[next++]);
}

await Promise.all(Array.from({ length: Number(connections) }, askAll));
agent.destroy();
