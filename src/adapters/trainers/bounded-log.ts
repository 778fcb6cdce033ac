const HEAD = 64 * 1024;
const TAIL = 192 * 1024;

/** Text as it comes, of which the first and the last part are kept: where a long log matters is at its ends. */
export class BoundedLog {
  #head = "";
  #tail = "";
  #length = 0;

  append(text: string): void {
    this.#length += text.length;
    const room = HEAD - this.#head.length;
    this.#head += text.slice(0, room);
    this.#tail += text.slice(room);
    // Cut now and then only: cutting at every piece would copy the tail each time.
    if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL);
  }

  toString(): string {
    const tail = this.#tail.slice(-TAIL);
    const left = this.#length - this.#head.length - tail.length;
    return left === 0 ? this.#head + tail : `${this.#head}\n… ${left} characters left out …\n${tail}`;
  }
}
