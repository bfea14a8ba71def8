import { RecordDecoder, recordIn } from '../../src/checkpoint/codec.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';

/** Decodes one payload, as the reader does. Throws ThriftError. */
export function decodeRecord(payload: Buffer): CheckpointRecord {
  const decoder = new RecordDecoder();
  decoder.attach(payload);
  decoder.decode(0, payload.length);
  return recordIn(decoder);
}
