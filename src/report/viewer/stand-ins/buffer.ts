/**
 * What the code that the viewer shares with the program uses of Node's Buffer, for a browser. `scripts/build/for-browsers.mjs`
 * puts it in the place of Node's own. Each function promises what Node's does.
 */

const NO_BOM = { ignoreBOM: true } as const;
const decoder = new TextDecoder('utf-8', NO_BOM);
const strict = new TextDecoder('utf-8', { ...NO_BOM, fatal: true });

class ByteArray extends Uint8Array {
  static alloc(length: number): ByteArray {
    return new ByteArray(length);
  }

  static allocUnsafe(length: number): ByteArray {
    return new ByteArray(length);
  }

  static allocUnsafeSlow(length: number): ByteArray {
    return new ByteArray(length);
  }

  static concat(parts: readonly Uint8Array[]): ByteArray {
    const whole = new ByteArray(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  readUInt32BE(at: number): number {
    return (
      (this[at] as number) * 0x100_0000 +
      (((this[at + 1] as number) << 16) | ((this[at + 2] as number) << 8) | (this[at + 3] as number))
    );
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): number {
    const part = super.subarray(start, end);
    target.set(part, targetStart);
    return part.length;
  }

  override toString(_encoding: 'utf8' = 'utf8', start = 0, end = this.length): string {
    return decoder.decode(super.subarray(start, end));
  }
}

export { ByteArray as Buffer };

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
