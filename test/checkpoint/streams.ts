import type { StreamConsumer } from '../../src/checkpoint/framing.js';
import { readStream } from '../../src/checkpoint/reader.js';
import { openFile, useFile } from '../../src/store/open-file.js';

/** Reads the stream at a path that somebody named. */
export const readStreamAt = (path: string, consumer: StreamConsumer) =>
  useFile(path, { links: 'follow' }, (file) => readStream(file, consumer));

/** How a `CheckpointFile` of the path is opened. */
export const opening = (path: string) => () => openFile(path, { links: 'follow' });
