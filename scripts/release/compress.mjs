// node scripts/release/compress.mjs FROM TO LEVEL
//
// Compresses a file by zstd. For the Node that is shipped: older ones cannot, and the same version makes the same bytes.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

const [, , from = '', to = '', level = ''] = process.argv;
const { createZstdCompress, constants } = /** @type {any} */ (zlib);
const params = { [constants.ZSTD_c_compressionLevel]: Number(level), [constants.ZSTD_c_checksumFlag]: 1 };
await pipeline(createReadStream(from), createZstdCompress({ params }), createWriteStream(to));
