import { closeSync, openSync, readSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';

const ELF = Buffer.from('\x7fELF', 'latin1');
const SCRIPT = Buffer.from('#!');
const HEADER_BYTES = 20;

/**
 * Is the file a script with an interpreter, or a program for the machine that runs us? Anything else must not be started:
 * execvp(3), and so Node, would have the shell interpret its bytes. False if it cannot be read. Throws the system error if the machine is too short of something to know.
 */
export function isForThisMachine(path: string): boolean {
  const header = headerOf(path);
  if (header?.subarray(0, SCRIPT.length).equals(SCRIPT)) return true;
  const machine = header && machineIn(header);
  const ours = headerOf(process.execPath);
  return machine !== undefined && ours !== undefined && machine === machineIn(ours);
}

/** Word size, byte order and number of the machine, by elf(5); undefined for a file of another format. */
function machineIn(header: Buffer): string | undefined {
  if (!header.subarray(0, ELF.length).equals(ELF)) return undefined;
  return header.toString('hex', 4, 6) + header.toString('hex', 18, 20);
}

function headerOf(path: string): Buffer | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const fd = openSync(path, 'r');
    try {
      if (readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
  return header;
}
