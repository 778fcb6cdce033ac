/** A long answer, put together as bytes: what it says again and again is encoded once and copied. */
export class AnswerBytes {
  #bytes: Buffer;
  #used = 0;

  /** @param about how many bytes are expected */
  constructor(about: number) {
    this.#bytes = Buffer.allocUnsafe(about);
  }

  /** Text of ASCII alone: a byte each. */
  ascii(text: string): void {
    this.#room(text.length);
    this.#used += this.#bytes.write(text, this.#used, "latin1");
  }

  text(text: string): void {
    // One unit of UTF-16 takes at most three bytes of UTF-8.
    this.#room(3 * text.length);
    this.#used += this.#bytes.write(text, this.#used, "utf8");
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** All that was put in. */
  whole(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  #room(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const longer = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#used + more));
    longer.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = longer;
  }
}
