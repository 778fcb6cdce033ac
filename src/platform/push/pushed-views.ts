import type { FeatureViewDefinition } from "../../core/definitions/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import { applyPushed, applyPushedEarlier } from "../../core/features/index.ts";
import type { PushJudge } from "./push-judge.ts";
import type { PushSurroundings } from "./push-room.ts";

export interface OnlineRows {
  readonly view: string;
  readonly rows: number;
  readonly entities: number;
  /** Which earlier version it is that something reads; absent for the view as it is defined. */
  readonly version?: string;
  /** Why that stays as it is. */
  readonly halted?: string | null;
}

/** How long to wait after a failure before the next attempt. */
const RETRY_MS = 1_000;

/** Keeps the views over one pushed source up to the end of the log; one step at a time, each with all that came during the last. */
export class PushedViews {
  readonly #around: PushSurroundings;
  readonly #judge: PushJudge;
  readonly #views: readonly FeatureViewDefinition[];
  /** What earlier versions of each were defined by. */
  readonly #definitions: ReadonlyMap<string, Map<string, FeatureViewDefinition>>;
  #step: Promise<OnlineRows[]> = Promise.resolve([]);
  /** The step that will begin when the one under way has ended. */
  #next: Promise<OnlineRows[]> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(around: PushSurroundings, judge: PushJudge) {
    this.#around = around;
    this.#judge = judge;
    this.#views = around.views.filter(({ source }) => source.name === judge.source.name);
    this.#definitions = new Map(this.#views.map(({ name }) => [name, new Map()]));
  }

  /** Resolves when everything that is in the log now is online. It is tried again by itself where that fails. */
  follow(): Promise<OnlineRows[]> {
    if (this.#next !== null) return this.#next;
    const before = this.#step;
    const next = before
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#isOver ? [] : this.#apply();
      });
    this.#next = next;
    this.#step = next;
    next.catch((error: unknown) => this.#failed(error));
    return next;
  }

  /** Writes the records of all views anew from the log. */
  rewrite(): Promise<OnlineRows[]> {
    this.#step = this.#step.catch(() => undefined).then(() => this.#apply(true));
    return this.#step;
  }

  /** What another process brings online now is not to be mixed with what this one knows. */
  get #isOver(): boolean {
    return this.#isClosed || this.#around.lost?.aborted === true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#step.catch(() => undefined);
  }

  async #apply(full = false): Promise<OnlineRows[]> {
    const { scope, clock, plans = () => [] } = this.#around;
    const { index, keySets } = this.#judge;
    await this.#judge.ready();
    const done: OnlineRows[] = [];
    for (const view of this.#views) {
      if (this.#around.lost?.aborted === true) break;
      const input = { scope, view, index, now: clock.now(), full };
      const { rows, entities } = await applyPushed(this.#around, input);
      done.push({ view: view.name, rows, entities });
      const definitions = this.#definitions.get(view.name) ?? new Map<string, FeatureViewDefinition>();
      done.push(...(await applyPushedEarlier(this.#around, { ...input, plans, keySets, definitions })));
    }
    return done;
  }

  #failed(error: unknown): void {
    const { code, message } = toOrreryError(error);
    this.#around.journal.error({ source: this.#judge.source.name, code }, `pushed rows are not online yet: ${message}`);
    if (this.#isOver) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      void this.follow().catch(() => undefined);
    }, RETRY_MS).unref();
  }
}
