import { trainErrors } from "../errors.ts";

const invalid = trainErrors.TRAIN_MODEL_FILE_INVALID;

/** Deeper nesting than this is damage: XGBoost's files have some ten levels. */
const MAX_DEPTH = 100;

/**
 * Reads Universal Binary JSON, draft 12 (ubjson.org), in the form that XGBoost writes: containers with and without type and
 * count, no high-precision numbers. Typed arrays become arrays of numbers.
 *
 * @throws TRAIN_MODEL_FILE_INVALID for damage, at latest where the bytes end
 */
export function readUbjson(bytes: Uint8Array): unknown {
  const read = new UbjsonReader(bytes);
  const value = read.value(read.marker(), 0);
  read.end();
  return value;
}

class UbjsonReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.#at !== this.#view.byteLength) throw invalid("the UBJSON file goes on after its value");
  }

  /** The next marker that is no padding. */
  marker(): string {
    let marker = "N";
    while (marker === "N") marker = String.fromCharCode(this.#view.getUint8(this.#take(1)));
    return marker;
  }

  value(marker: string, depth: number): unknown {
    switch (marker) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case "S":
        return this.#text(this.#length(this.marker()));
      case "C":
        return this.#text(1);
      case "Z":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      default:
        return this.#number(marker);
    }
  }

  #number(marker: string): number {
    switch (marker) {
      case "i":
        return this.#view.getInt8(this.#take(1));
      case "U":
        return this.#view.getUint8(this.#take(1));
      case "I":
        return this.#view.getInt16(this.#take(2));
      case "l":
        return this.#view.getInt32(this.#take(4));
      case "L":
        return Number(this.#view.getBigInt64(this.#take(8)));
      case "d":
        return this.#view.getFloat32(this.#take(4));
      case "D":
        return this.#view.getFloat64(this.#take(8));
      default:
        throw invalid(`the UBJSON file has the marker ${JSON.stringify(marker)} at byte ${this.#at - 1}`);
    }
  }

  #object(depth: number): Record<string, unknown> {
    const { type, count } = this.#container(depth);
    const entries: [string, unknown][] = [];
    while (count === null ? this.#peek() !== "}" : entries.length < count) {
      const key = this.#text(this.#length(this.marker()));
      entries.push([key, this.value(type ?? this.marker(), depth)]);
    }
    if (count === null) this.#at += 1;
    return Object.fromEntries(entries);
  }

  #array(depth: number): unknown[] {
    const { type, count } = this.#container(depth);
    const values: unknown[] = [];
    while (count === null ? this.#peek() !== "]" : values.length < count) values.push(this.value(type ?? this.marker(), depth));
    if (count === null) this.#at += 1;
    return values;
  }

  /** `$` type and `#` count, both optional. Without a count the container ends with its bracket. */
  #container(depth: number): { readonly type: string | null; readonly count: number | null } {
    if (depth > MAX_DEPTH) throw invalid(`the UBJSON file nests more than ${MAX_DEPTH} levels`);
    let type: string | null = null;
    if (this.#peek() === "$") {
      this.#at += 1;
      type = this.marker();
    }
    if (this.#peek() !== "#") {
      if (type !== null) throw invalid("the UBJSON file has a type without a count");
      return { type, count: null };
    }
    this.#at += 1;
    const count = this.#length(this.marker());
    // Every element takes a byte at least, but for constants, which XGBoost does not write in typed containers.
    if (count > this.#view.byteLength - this.#at)
      throw invalid(`the UBJSON file announces ${count} elements and ends before them`);
    return { type, count };
  }

  #length(marker: string): number {
    const length = this.#number(marker);
    if (!(Number.isInteger(length) && length >= 0)) throw invalid(`the UBJSON file has the length ${length}`);
    return length;
  }

  #text(length: number): string {
    const start = this.#take(length);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length));
  }

  #peek(): string {
    if (this.#at >= this.#view.byteLength) throw invalid("the UBJSON file ends early");
    return String.fromCharCode(this.#view.getUint8(this.#at));
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#view.byteLength - start) throw invalid("the UBJSON file ends early");
    this.#at += length;
    return start;
  }
}
