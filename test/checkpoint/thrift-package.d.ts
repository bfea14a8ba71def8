/** The part of the npm package `thrift` that the cross-check uses; it ships no types. */
declare module 'thrift' {
  export interface Int64 {
    readonly buffer: Buffer;
    readonly offset: number;
  }

  export class TFramedTransport {
    constructor(buffer?: Buffer, onFlush?: (message: Buffer) => void);
    readonly readPos: number;
    flush(): void;
  }

  export class TBinaryProtocol {
    constructor(transport: TFramedTransport, strictRead: boolean, strictWrite: boolean);
    writeFieldBegin(name: string, type: number, id: number): void;
    writeFieldStop(): void;
    writeMapBegin(key: number, value: number, size: number): void;
    writeListBegin(element: number, size: number): void;
    writeBool(value: boolean): void;
    writeI16(value: number): void;
    writeI32(value: number): void;
    writeI64(value: { buffer: Buffer }): void;
    writeDouble(value: number): void;
    writeString(value: string): void;
    readFieldBegin(): { ftype: number; fid: number };
    readMapBegin(): { ktype: number; vtype: number; size: number };
    readListBegin(): { etype: number; size: number };
    readBool(): boolean;
    readByte(): number;
    readI16(): number;
    readI32(): number;
    readI64(): Int64;
    readDouble(): number;
    readString(): string;
  }
}
