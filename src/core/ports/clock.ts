import type { Micros } from "../time.ts";

/** Where every room asks what time it is. A replay runs on a virtual one. */
export interface Clock {
  readonly kind: "system" | "virtual";
  now(): Micros;
}

export const systemClock: Clock = {
  kind: "system",
  now: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
};

/** A clock that stands still until it is moved; it never goes back. */
export class VirtualClock implements Clock {
  readonly kind = "virtual";
  #now: Micros;

  constructor(start: Micros) {
    this.#now = start;
  }

  now(): Micros {
    return this.#now;
  }

  /** Moves to `at`; an earlier time leaves the clock where it is. */
  advanceTo(at: Micros): void {
    if (at > this.#now) this.#now = at;
  }
}
