import { get } from 'node:http';
import type { Load } from '../../../src/report/viewer/client.js';

/** Loads an answer as a page does: as a script that calls a function, a character for each byte. */
export const loadScript: Load = (address) =>
  new Promise((resolve, reject) => {
    const url = `${address}${address.includes('?') ? '&' : '?'}jsonp=take`;
    const request = get(url, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const script = /^take\(([\s\S]*)\);?$/.exec(Buffer.concat(parts).toString('latin1'))?.[1];
        if (response.statusCode !== 200 || script === undefined) reject(new Error(`${response.statusCode}`));
        else resolve(JSON.parse(script));
      });
    });
    request.on('error', reject);
  });
