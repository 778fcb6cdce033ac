/** How rows of one entity follow one another, and until when each is true. */
export interface LatestOrder {
  /** Whether the first row is ahead of the other: later by event, then by availability, then by place. */
  isAhead(one: number, other: number): boolean;
  /** When a later version takes the row's place; NaN is never. */
  readonly supersededAt: Float64Array | null;
}

/**
 * The row ahead of all others among those that are true, for each entity, as time goes on. Where no row is ever superseded that is
 * one number for each entity; otherwise rows that may come to the front again are kept behind it in a heap.
 */
export class LatestRows {
  readonly #best: Int32Array;
  readonly #behind = new Map<number, number[]>();
  readonly #order: LatestOrder;

  constructor(entities: number, order: LatestOrder) {
    this.#best = new Int32Array(entities).fill(-1);
    this.#order = order;
  }

  /** A row becomes visible; one that is superseded already is not to be given. */
  enter(entity: number, row: number): void {
    const best = this.#best[entity];
    if (best >= 0 && !this.#order.isAhead(row, best)) {
      // Behind a row that is true for ever, no other is seen again.
      if (this.#ends(best)) this.#keep(entity, row);
      return;
    }
    this.#best[entity] = row;
    if (!this.#ends(row)) this.#behind.delete(entity);
    else if (best >= 0) this.#keep(entity, best);
  }

  /** The entity's latest row at a time that never goes back; -1 for none. */
  at(entity: number, at: number): number {
    const { supersededAt } = this.#order;
    let best = this.#best[entity];
    while (supersededAt !== null && best >= 0 && supersededAt[best] <= at) best = this.#next(entity);
    this.#best[entity] = best;
    return best;
  }

  #ends(row: number): boolean {
    const { supersededAt } = this.#order;
    return supersededAt !== null && !Number.isNaN(supersededAt[row]);
  }

  #keep(entity: number, row: number): void {
    const heap = this.#behind.get(entity) ?? [];
    this.#behind.set(entity, heap);
    let at = heap.push(row) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#order.isAhead(row, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = row;
  }

  #next(entity: number): number {
    const heap = this.#behind.get(entity) ?? [];
    const [top = -1] = heap;
    const row = heap.pop();
    if (row === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#order.isAhead(heap[child + 1], heap[child])) child++;
      if (!this.#order.isAhead(heap[child], row)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = row;
    return top;
  }
}
