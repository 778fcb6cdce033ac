/** Lets any number through that may work side by side, or one that must be alone; in the order they came. */
export class Gate {
  #shared = new Set<Promise<unknown>>();
  #alone: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Begins when nobody is alone any more. */
  async shared<T>(work: () => Promise<T>): Promise<T> {
    while (this.#waiting > 0) await this.#alone.catch(() => undefined);
    const done = work();
    const settled = done.catch(() => undefined);
    this.#shared.add(settled);
    void settled.then(() => this.#shared.delete(settled));
    return done;
  }

  /** Begins when all that has begun has ended. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const before = this.#alone.catch(() => undefined);
    const done = before
      .then(() => Promise.all(this.#shared))
      .then(work)
      .finally(() => this.#waiting--);
    this.#alone = done;
    done.catch(() => undefined);
    return done;
  }
}
