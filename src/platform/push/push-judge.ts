import { type PushContract, pushContract } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import { type JudgedRow, judgePushed, keySetsOf, pushIndexHash } from "../../core/features/index.ts";
import type { PushSurroundings } from "./push-room.ts";

const JUDGED_AT_ONCE = 2_000;

/** Judges one source's rows, and sees to it that the log's earlier ones are judged and found by the present definitions. */
export class PushJudge {
  /** Hash of the definitions that rows are judged and found by. */
  readonly index: string;
  readonly source: SourceDefinition;
  /** Names of the sets of keys by which rows are found. */
  readonly keySets: ReadonlySet<string>;
  readonly #around: PushSurroundings;
  readonly #keySets: ReturnType<typeof keySetsOf>;
  #contract: Promise<PushContract> | null = null;
  #ready: Promise<void> | null = null;

  constructor(around: PushSurroundings, source: SourceDefinition) {
    this.#around = around;
    this.source = source;
    this.#keySets = keySetsOf(source, around.views);
    this.keySets = new Set(this.#keySets.keys());
    this.index = pushIndexHash(source, this.#keySets);
  }

  /** Nothing is appended or brought online before the whole log is as if it had been pushed under the present definitions. */
  ready(): Promise<void> {
    this.#ready ??= this.#reindex().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    return this.#ready;
  }

  async judge(rows: readonly string[]): Promise<JudgedRow[]> {
    this.#contract ??= this.#readContract().catch((error: unknown) => {
      this.#contract = null;
      throw error;
    });
    return judgePushed(this.#around.engine, this.source, await this.#contract, this.#keySets, rows);
  }

  /** What it refers to may have changed. */
  forgetContract(): void {
    this.#contract = null;
  }

  async #readContract(): Promise<PushContract> {
    const { artifacts, references } = this.#around;
    const refers = Object.values(this.source.contracts).some(({ reference }) => reference !== undefined);
    const blocked = (await this.#around.blocked?.())?.(this.source) ?? null;
    return pushContract(artifacts, this.source, refers ? await references() : undefined, blocked);
  }

  async #reindex(): Promise<void> {
    const { log } = this.#around;
    if (log.index(this.source.name) !== this.index) await log.reindex(this.source.name, this.index, this.#judgedLog());
  }

  async *#judgedLog() {
    const { log } = this.#around;
    const { name } = this.source;
    const upTo = log.end(name);
    for (let after = 0; after < upTo; ) {
      const rows = log.rows(name, { after, upTo }, JUDGED_AT_ONCE);
      const judged = await this.judge(rows.map(({ row }) => row));
      // What would stop a push today has been taken already.
      yield judged.map(({ stops, problem, blocked: _, ...row }, at) => ({
        ...row,
        problem: problem ?? stops,
        seq: rows[at].seq,
      }));
      after = rows.at(-1)?.seq ?? upTo;
    }
  }
}
