import type { JudgedRow } from "../../core/features/index.ts";
import { pushErrors } from "./errors.ts";
import type { PushJudge } from "./push-judge.ts";
import type { PushSurroundings } from "./push-room.ts";
import { stillOurs } from "./still-ours.ts";

export interface PushAnswer {
  /** Rows that are new. */
  readonly accepted: number;
  /** Rows that the log had. */
  readonly duplicates: number;
  /** Rows that break the contract: kept in the log, and out of all features until the contract allows them. */
  readonly quarantined: number;
  /** The first quarantined rows, counted from 0, and what each broke. */
  readonly problems: readonly { readonly row: number; readonly problem: string }[];
  /** Rows of somebody who was erased, which are not taken; absent where there are none. */
  readonly blocked?: number;
}

interface Waiting {
  readonly rows: readonly string[];
  resolve(answer: PushAnswer): void;
  reject(error: unknown): void;
}

/** Rows that are judged and committed together; a push of more goes by itself. */
const ROWS_AT_ONCE = 2_000;
/** Rows that may wait while others are written. */
const MOST_WAITING = 200_000;
const PROBLEMS_TOLD = 20;

/** Judges and logs the rows of one source. What comes while others are under way goes together, by the next commit. */
export class PushWriter {
  readonly #judge: PushJudge;
  readonly #around: Pick<PushSurroundings, "log" | "clock" | "lost">;
  #waiting: Waiting[] = [];
  #rowsWaiting = 0;
  #writing: Promise<void> | null = null;

  constructor(judge: PushJudge, around: Pick<PushSurroundings, "log" | "clock" | "lost">) {
    this.#judge = judge;
    this.#around = around;
  }

  /** @throws PUSH_CONTRACT_STOPPED, PUSH_TOO_MUCH, PUSH_CLAIM_LOST, PUSH_LOG_WRITE_FAILED and what judging throws; nothing is in the log then */
  write(rows: readonly string[]): Promise<PushAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#rowsWaiting > 0 && this.#rowsWaiting + rows.length > MOST_WAITING)
        throw pushErrors.PUSH_TOO_MUCH(`${this.#rowsWaiting} rows of source ${this.#judge.source.name} wait to be written`);
      this.#waiting.push({ rows, resolve, reject });
      this.#rowsWaiting += rows.length;
      this.#writing ??= this.#drain();
    });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // Waits for the rest of this turn's pushes.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#commit(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = null;
  }

  #nextGroup(): Waiting[] {
    let count = 0;
    let rows = 0;
    while (count < this.#waiting.length && (count === 0 || rows + this.#waiting[count].rows.length <= ROWS_AT_ONCE))
      rows += this.#waiting[count++].rows.length;
    this.#rowsWaiting -= rows;
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { name, key } = this.#judge.source;
    const { log, clock, lost } = this.#around;
    await this.#judge.ready();
    const judged = await this.#judge.judge(group.flatMap(({ rows }) => rows));
    let first = 0;
    const going: { waiting: Waiting; rows: readonly JudgedRow[] }[] = [];
    for (const waiting of group) {
      const rows = judged.slice(first, first + waiting.rows.length);
      first += rows.length;
      const stopped = rows.find(({ stops }) => stops !== null);
      if (stopped === undefined) going.push({ waiting, rows });
      else waiting.reject(pushErrors.PUSH_CONTRACT_STOPPED(`A row breaks the contract of ${name}: ${stopped.stops}`));
    }
    const logged = going.flatMap(({ rows }) => rows.filter(({ blocked }) => !blocked));
    stillOurs(lost);
    const appended = await log.append(name, logged, { once: key.length > 0, at: clock.now() });
    // A row that was committed meanwhile lies in a log that nobody reads any more.
    stillOurs(lost);
    const isNew = appended.values();
    for (const { waiting, rows } of going)
      waiting.resolve(
        answerOf(
          rows,
          rows.map(({ blocked }) => !blocked && isNew.next().value === true),
        ),
      );
  }
}

function answerOf(rows: readonly JudgedRow[], isNew: readonly boolean[]): PushAnswer {
  const problems = rows.flatMap(({ problem, blocked }, row) => (problem === null || blocked ? [] : [{ row, problem }]));
  const sound = isNew.filter((_, at) => rows[at].problem === null && !rows[at].blocked);
  const blocked = rows.filter((row) => row.blocked).length;
  const accepted = sound.filter(Boolean).length;
  return {
    accepted,
    duplicates: sound.length - accepted,
    quarantined: problems.length,
    problems: problems.slice(0, PROBLEMS_TOLD),
    ...(blocked === 0 ? {} : { blocked }),
  };
}
