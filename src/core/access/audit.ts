import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { actorText, sortableId } from "../tracking/index.ts";
import { accessErrors } from "./errors.ts";
import { ALL_PROJECTS } from "./identity.ts";

/** That somebody changed something. Never secrets, whole rows or data: whoever may read the trail need not be able to read those. */
export interface Change {
  readonly actor: Actor;
  /** What was done, as the API names it: "models.promote", "mlflow.runs.delete", "tokens.create". */
  readonly action: string;
  /** What it was done to: "late@3", "run-…". */
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface AuditEntry {
  readonly id: string;
  readonly project: string;
  readonly at: Micros;
  /** "user:anna", "token:machine", "system:scheduler", "anonymous". */
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditQuery {
  readonly since?: Micros;
  /** Part of history with this actor's text, or a user of this name. */
  readonly actor?: string;
  readonly action?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface AuditTrail {
  /** Resolves when the change is on disk; changes noted at the same time share a commit. */
  record(scope: Scope, change: Change): Promise<void>;
  /** Newest first, of one project and of the workspace as a whole; of all projects where it is "*". @throws ACCESS_CURSOR_INVALID */
  list(scope: Scope, query: AuditQuery): Promise<{ items: readonly AuditEntry[]; nextCursor: string | null }>;
}

const rowOf = ({ workspace, project }: Scope, clock: Clock, { actor, action, target, details = {} }: Change) => ({
  workspace,
  project,
  id: sortableId("audit", clock),
  at: clock.now(),
  actor: actorText(actor),
  action,
  target,
  details: JSON.stringify(details),
});

/** Writes a change down in the transaction that makes it. */
export async function recordAudit(db: Kysely<Database>, scope: Scope, clock: Clock, change: Change): Promise<void> {
  await db
    .insertInto("audit")
    .values(rowOf(scope, clock, change))
    .execute();
}

interface Waiting {
  readonly row: ReturnType<typeof rowOf>;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const MOST_ROWS_A_COMMIT = 1_000;

export function createAuditTrail(store: MetadataStore, clock: Clock): AuditTrail {
  let waiting: Waiting[] = [];
  let writing = false;

  async function write(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_ROWS_A_COMMIT);
      waiting = waiting.slice(batch.length);
      try {
        await store.insertMany(
          store.db,
          "audit",
          batch.map(({ row }) => row),
        );
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = false;
  }

  return {
    record(scope, change) {
      return new Promise((done, failed) => {
        waiting.push({ row: rowOf(scope, clock, change), done, failed });
        if (!writing) void write();
      });
    },
    async list({ workspace, project }, { since, actor, action, limit, cursor }) {
      let query = store.db
        .selectFrom("audit")
        .selectAll()
        .where("workspace", "=", workspace)
        .orderBy("at", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1);
      if (project !== ALL_PROJECTS) query = query.where("project", "in", [project, ALL_PROJECTS]);
      if (since !== undefined) query = query.where("at", ">=", since);
      if (actor !== undefined) query = query.where("actor", "in", [actor, `user:${actor}`]);
      if (action !== undefined) query = query.where("action", "=", action);
      if (cursor !== undefined) {
        const [at, id] = readCursor(cursor);
        query = query.where((is) => is.or([is("at", "<", at), is.and([is("at", "=", at), is("id", "<", id)])]));
      }
      const rows = await query.execute();
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(({ workspace: _, details, ...row }) => ({ ...row, details: JSON.parse(details) })),
        nextCursor: rows.length > limit && last !== undefined ? `${last.at}.${last.id}` : null,
      };
    },
  };
}

function readCursor(cursor: string): [at: Micros, id: string] {
  const [, at, id] = /^(\d{1,16})\.(audit-[0-9a-z]{1,60})$/.exec(cursor) ?? [];
  if (at === undefined || id === undefined) throw accessErrors.ACCESS_CURSOR_INVALID("The cursor is not one of this list");
  return [Number(at), id];
}
