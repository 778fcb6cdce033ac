const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/**
 * Writes fields of a Protocol Buffers message, in the order called. Encoding: protobuf.dev/programming-guides/encoding. Numbers are
 * written even where they are 0, which readers accept.
 */
export class ProtobufWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** An int32, int64, enum or bool: an integer of magnitude up to 2^53. */
  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  float(field: number, value: number): void {
    this.#tag(field, FIXED_32);
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  text(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, BYTES);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  message(field: number, write: (message: ProtobufWriter) => void): void {
    const message = new ProtobufWriter();
    write(message);
    this.bytes(field, message.finish());
  }

  packedIntegers(field: number, values: Iterable<number>): void {
    const packed = new ProtobufWriter();
    for (const value of values) packed.#varint(value);
    this.bytes(field, packed.finish());
  }

  packedFloats(field: number, values: ArrayLike<number>): void {
    const packed = new DataView(new ArrayBuffer(4 * values.length));
    for (let i = 0; i < values.length; i++) packed.setFloat32(4 * i, values[i], true);
    this.bytes(field, new Uint8Array(packed.buffer));
  }

  packedDoubles(field: number, values: ArrayLike<number>): void {
    const packed = new DataView(new ArrayBuffer(8 * values.length));
    for (let i = 0; i < values.length; i++) packed.setFloat64(8 * i, values[i], true);
    this.bytes(field, new Uint8Array(packed.buffer));
  }

  #tag(field: number, wireType: typeof VARINT | typeof FIXED_64 | typeof BYTES | typeof FIXED_32): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      this.#negativeVarint(value);
      return;
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Two's complement of 64 bits, which takes all ten bytes. */
  #negativeVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 128n) {
      this.#bytes[this.#length++] = Number(rest & 127n) + 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
