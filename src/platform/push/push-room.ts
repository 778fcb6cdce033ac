import { type References, textRow } from "../../core/data/index.ts";
import type { DeliveredRow, FeatureViewDefinition, SourceDefinition } from "../../core/definitions/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import type { FeaturePlan } from "../../core/features/index.ts";
import type { PipelineLog } from "../../core/pipelines/index.ts";
import type { ArtifactStore, Clock, OnlineStore, PushLog, TableEngine } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import type { BlockedRows } from "../erase/blocked-rows.ts";
import { erasePushed } from "./erase-pushed.ts";
import { pushErrors } from "./errors.ts";
import { PushJudge } from "./push-judge.ts";
import { type PushAnswer, PushWriter } from "./push-writer.ts";
import { type OnlineRows, PushedViews } from "./pushed-views.ts";
import { stillOurs } from "./still-ours.ts";

export interface PushSurroundings {
  readonly sources: readonly SourceDefinition[];
  readonly views: readonly FeatureViewDefinition[];
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: PushLog;
  readonly engine: TableEngine;
  readonly online: OnlineStore;
  readonly artifacts: ArtifactStore;
  /** Sources that contracts refer to, as they stand. */
  readonly references: () => Promise<References>;
  readonly journal: PipelineLog;
  /** What is deployed reads by these: versions of views that they read go on. None unless given. */
  readonly plans?: () => readonly FeaturePlan[];
  /** Whose rows are not taken, as it stands. */
  readonly blocked?: () => Promise<BlockedRows>;
  /** Aborted when another process runs the project: nothing is acknowledged or brought online from then on. */
  readonly lost?: AbortSignal;
}

/** Takes rows of the project's pushed sources: to the log first, then to the online store; ingestion finds them in the log. */
export interface PushRoom {
  /**
   * Resolves when every row is on disk, whatever happens then; with `online`, when the online store has them too. Pushing a row again
   * that the log has changes nothing, where its source has a key.
   * @throws PUSH_SOURCE_UNKNOWN, PUSH_ROW_INVALID, PUSH_CONTRACT_STOPPED, PUSH_TOO_MUCH, PUSH_CLOSED, PUSH_CLAIM_LOST,
   * PUSH_LOG_WRITE_FAILED: none of the rows were taken then; PUSH_NOT_ONLINE: all of them were
   */
  push(source: string, rows: readonly DeliveredRow[], options?: { readonly online?: boolean }): Promise<PushAnswer>;
  /** Brings the views over pushed sources up to the end of the log and to now; none of them when another process runs the project. */
  settle(): Promise<readonly OnlineRows[]>;
  /**
   * Takes the rows of a source that are true to a condition over its typed columns out of the log, and writes the views over it anew. Rows
   * that are pushed meanwhile are judged by what is blocked now. With `dryRun` only counts. @returns how many
   * @throws PUSH_CLAIM_LOST, PUSH_LOG_WRITE_FAILED
   */
  erase(source: string, condition: string, options: { readonly dryRun: boolean }): Promise<number>;
  /** Finishes what was begun. What is in the log and not online yet will be when it is opened again. */
  close(): Promise<void>;
}

export function openPushRoom(around: PushSurroundings): PushRoom {
  const pushed = around.sources.filter(({ origin }) => origin.kind === "push");
  const judges = pushed.map((source) => new PushJudge(around, source));
  const rooms = new Map(
    judges.map((judge) => [
      judge.source.name,
      { judge, writer: new PushWriter(judge, around), views: new PushedViews(around, judge) },
    ]),
  );
  // What was pushed before this was closed, or killed, goes online without being asked for.
  for (const { views } of rooms.values()) void views.follow().catch(() => undefined);
  let isClosed = false;
  return {
    async push(name, rows, { online = false } = {}) {
      const room = rooms.get(name);
      if (room === undefined) throw pushErrors.PUSH_SOURCE_UNKNOWN(`The project has no source "${name}" that rows are pushed to`);
      if (isClosed) throw pushErrors.PUSH_CLOSED("Rows are not taken any more");
      stillOurs(around.lost);
      const answer = await room.writer.write(rows.map((row, index) => rowText(room.judge.source, row, index)));
      stillOurs(around.lost);
      const followed = room.views.follow().catch((cause: unknown) => {
        throw pushErrors.PUSH_NOT_ONLINE(`The rows are not online yet: ${toOrreryError(cause).message}`, { cause });
      });
      // Where nobody waits for it, it is tried again by itself all the same.
      if (online) {
        await followed;
        stillOurs(around.lost);
      } else followed.catch(() => undefined);
      return answer;
    },
    async settle() {
      for (const { judge } of rooms.values()) judge.forgetContract();
      return (await Promise.all([...rooms.values()].map(({ views }) => views.follow()))).flat();
    },
    async erase(name, condition, { dryRun }) {
      const room = rooms.get(name);
      if (room === undefined) return 0;
      stillOurs(around.lost);
      room.judge.forgetContract();
      // What was judged before is in the log then.
      await room.writer.settled();
      const erased = await erasePushed(around, room.judge.source, condition, dryRun);
      if (!dryRun) await room.views.rewrite();
      return erased;
    },
    async close() {
      isClosed = true;
      await Promise.all([...rooms.values()].map(({ writer }) => writer.settled()));
      await Promise.all([...rooms.values()].map(({ views }) => views.close()));
    },
  };
}

/** JSON of the row's values as text. @throws PUSH_ROW_INVALID */
function rowText({ name, contracts }: SourceDefinition, row: DeliveredRow, index: number): string {
  const invalid = (why: string) =>
    pushErrors.PUSH_ROW_INVALID(`Row ${index + 1} for source ${name} ${why}`, { details: { row: index } });
  if (typeof row !== "object" || row === null || Array.isArray(row)) throw invalid("is no object");
  const values: Record<string, DeliveredRow[string]> = {};
  for (const [column, value] of Object.entries(row)) {
    const contract = Object.hasOwn(contracts, column) ? contracts[column] : undefined;
    if (contract === undefined) throw invalid(`has a column "${column}" that the source does not declare`);
    if (contract.type === "int64" && typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value))
      throw invalid(`has a number in "${column}" that may have lost digits`);
    values[column] = value;
  }
  return JSON.stringify(textRow(values, Object.keys(contracts)));
}
