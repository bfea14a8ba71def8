import { MEMBER } from '../checkpoint/codec.js';
import { RecordScanner } from '../checkpoint/framing.js';
import { readStream } from '../checkpoint/reader.js';
import type { RunnerHeader } from '../checkpoint/records.js';
import { type OpenFile, useFile } from '../store/open-file.js';

/** How many records are searched for the header: it is the second one in every stream that the original wrote. */
const FIRST_RECORDS = 64;
/** And how many bytes: many streams are searched, and somebody may have made the first record long. */
const FIRST_BYTES = 256 * 1024;

/**
 * The header of a stream, without reading the rest of it; null if it has none at its start or can't be read. No
 * link below `base` is followed.
 */
export function readHeader(path: string, base: string): RunnerHeader | null {
  try {
    return useFile(path, { below: base, as: 'owner' }, headerIn);
  } catch {
    // The caller wants the header or nothing: whoever reads the whole stream reports that it can't be read.
    return null;
  }
}

/** The header of an open stream; null if it has none at its start. Throws system errors. */
export function headerIn(file: OpenFile): RunnerHeader | null {
  let header: RunnerHeader | null = null;
  const scanner: RecordScanner = new RecordScanner((decoder) => {
    if (decoder.member === MEMBER.HEADER) header = decoder.header as RunnerHeader;
    return header !== null || scanner.records >= FIRST_RECORDS ? 'that is enough' : undefined;
  });
  const size = Math.min(file.stat.size, FIRST_BYTES);
  readStream({ stat: { ...file.stat, size }, readAt: file.readAt.bind(file) }, scanner);
  return header;
}
