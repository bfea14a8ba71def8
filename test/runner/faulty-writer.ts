import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';

interface Calls {
  before?: (records: readonly CheckpointRecord[], fd: number) => void;
  after?: (records: readonly CheckpointRecord[]) => void;
}

/** Makes writers that call these at each write; what they throw ends the runner. */
export function writerThat({ before, after }: Calls): (fd: number) => CheckpointWriter {
  return (fd) =>
    new (class extends CheckpointWriter {
      override write(records: readonly CheckpointRecord[]): void {
        before?.(records, fd);
        super.write(records);
        after?.(records);
      }
    })(fd);
}
