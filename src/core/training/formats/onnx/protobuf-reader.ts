const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

const decoder = new TextDecoder();

/** A field of a message, not yet read: what it holds is for the caller to say. */
export class ProtobufField {
  readonly number: number;
  readonly #wireType: number;
  readonly #fail: (message: string) => Error;
  /** Of a varint or a fixed number; the bytes of anything longer. */
  readonly #value: number | Uint8Array;

  constructor(number: number, wireType: number, value: number | Uint8Array, fail: (message: string) => Error) {
    this.number = number;
    this.#wireType = wireType;
    this.#value = value;
    this.#fail = fail;
  }

  /** An int32, int64, enum or bool. */
  integer(): number {
    if (this.#wireType !== VARINT || typeof this.#value !== "number") throw this.#unexpected("an integer");
    return safeInteger(this.#value, this.#fail);
  }

  float(): number {
    const bytes = this.#fixed(FIXED_32, "a float");
    return bytes.getFloat32(0, true);
  }

  bytes(): Uint8Array {
    if (!(this.#value instanceof Uint8Array) || this.#wireType !== BYTES) throw this.#unexpected("bytes");
    return this.#value;
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  /** Appends what a repeated field of integers holds, packed or single. */
  integers(into: number[]): void {
    if (this.#wireType !== BYTES) {
      into.push(this.integer());
      return;
    }
    const packed = new Cursor(this.bytes(), this.#fail);
    while (!packed.done()) into.push(safeInteger(packed.varint(), this.#fail));
  }

  floats(into: number[]): void {
    if (this.#wireType !== BYTES) {
      into.push(this.float());
      return;
    }
    const view = this.#packed(4);
    for (let at = 0; at < view.byteLength; at += 4) into.push(view.getFloat32(at, true));
  }

  doubles(into: number[]): void {
    if (this.#wireType !== BYTES) {
      into.push(this.#fixed(FIXED_64, "a double").getFloat64(0, true));
      return;
    }
    const view = this.#packed(8);
    for (let at = 0; at < view.byteLength; at += 8) into.push(view.getFloat64(at, true));
  }

  #packed(size: number): DataView {
    const bytes = this.bytes();
    if (bytes.length % size !== 0) throw this.#fail(`field ${this.number} has ${bytes.length} bytes for numbers of ${size}`);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #fixed(wireType: number, what: string): DataView {
    if (this.#wireType !== wireType || !(this.#value instanceof Uint8Array)) throw this.#unexpected(what);
    return new DataView(this.#value.buffer, this.#value.byteOffset, this.#value.byteLength);
  }

  #unexpected(what: string): Error {
    return this.#fail(`field ${this.number} has wire type ${this.#wireType}, not that of ${what}`);
  }
}

/**
 * The fields of a Protocol Buffers message, one after the other; groups (deprecated) are refused. Nothing is copied.
 * @param fail makes the error for bytes that are no message
 */
export function* readFields(bytes: Uint8Array, fail: (message: string) => Error): Generator<ProtobufField> {
  const cursor = new Cursor(bytes, fail);
  while (!cursor.done()) {
    const tag = safeInteger(cursor.varint(), fail);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number < 1) throw fail("a field has the number 0");
    yield new ProtobufField(number, wireType, cursor.value(wireType), fail);
  }
}

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #fail: (message: string) => Error;
  #at = 0;

  constructor(bytes: Uint8Array, fail: (message: string) => Error) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(wireType: number): number | Uint8Array {
    switch (wireType) {
      case VARINT:
        return this.varint();
      case FIXED_64:
        return this.#take(8);
      case FIXED_32:
        return this.#take(4);
      case BYTES:
        return this.#take(safeInteger(this.varint(), this.#fail));
      default:
        throw this.#fail(`a field has wire type ${wireType}`);
    }
  }

  /** As a double, which integers up to 2^53 survive; negative ones take ten bytes. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 1; count <= 7; count++) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    return this.#longVarint(BigInt(value));
  }

  /** The rest of a number of which seven bytes were read. */
  #longVarint(start: bigint): number {
    let value = start;
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    throw this.#fail("a number has more than ten bytes");
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw this.#fail("the bytes end within a number");
    return this.#bytes[this.#at++];
  }

  #take(length: number): Uint8Array {
    if (length < 0 || length > this.#bytes.length - this.#at) throw this.#fail(`the bytes end before ${length} more`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** The greatest and least int64 say "no bound" (of a slice, for example), and become the greatest and least safe integer. */
const NO_BOUND = 2 ** 63 - 1_024;

export function safeInteger(number: number, fail: (message: string) => Error): number {
  if (Number.isSafeInteger(number)) return number;
  if (Math.abs(number) < NO_BOUND) throw fail(`the number ${number} is beyond 2^53`);
  return number > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
}
