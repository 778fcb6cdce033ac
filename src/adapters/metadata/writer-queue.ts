import { AsyncLocalStorage } from "node:async_hooks";
import { metadataErrors } from "./errors.ts";

/** Gives out the one writer in the order of asking, and knows whether the running code is the one that holds it. */
export class WriterQueue {
  #last: Promise<void> = Promise.resolve();
  /** The transaction that the running code is in: a second one, or a write beside it, would wait for itself forever. */
  readonly #current = new AsyncLocalStorage<{ open: boolean }>();

  get insideTransaction(): boolean {
    return this.#current.getStore()?.open === true;
  }

  /**
   * Resolves with the function that hands the writer on.
   * @throws STATE_TRANSACTION_NESTED
   */
  async take(): Promise<() => void> {
    if (this.insideTransaction)
      throw metadataErrors.STATE_TRANSACTION_NESTED("A write of the metadata was asked for beside the transaction it runs in");
    const before = this.#last;
    let release = () => {};
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  /** Runs a transaction's work so that a write beside it is an error and not a deadlock. */
  async mark<T>(work: () => Promise<T>): Promise<T> {
    const transaction = { open: true };
    try {
      return await this.#current.run(transaction, work);
    } finally {
      transaction.open = false;
    }
  }
}
