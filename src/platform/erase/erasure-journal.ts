import type { ErasedPlace } from "../../core/data/index.ts";
import type { Database, ErasureTable, MetadataStore } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import type { Micros } from "../../core/time.ts";
import { eraseErrors } from "./errors.ts";
import type { WireKeys } from "./parse-keys.ts";

/** An erasure as it can be shown: it names nobody. */
export interface Erasure {
  readonly id: string;
  readonly entity: string;
  readonly state: "running" | "done";
  readonly actor: string;
  readonly startedAt: Micros;
  readonly endedAt: Micros | null;
  /** Salted hashes of the keys. */
  readonly hashes: readonly string[];
  /** Whether rows of these keys are not taken in again. */
  readonly blocks: boolean;
  /** What was found before it began. */
  readonly places: readonly ErasedPlace[];
}

/** One that has not ended, with what it goes on from. */
export interface UnfinishedErasure extends Erasure {
  /** null where everything is gone but for the traces of the keys themselves. */
  readonly keys: WireKeys | null;
  /** Artifacts that are to be removed. */
  readonly doomed: readonly string[];
}

export type ErasureJournal = ReturnType<typeof erasureJournal>;

/** What is known of a project's erasures. */
export function erasureJournal(store: MetadataStore, { workspace, project }: Scope) {
  const own = { workspace, project };
  const change = (db: MetadataStore["db"], id: string, values: Partial<ErasureTable>) =>
    db
      .updateTable("erasures")
      .set(values)
      .where((each) => each.and({ ...own, id }))
      .execute();
  const all = () =>
    store.db
      .selectFrom("erasures")
      .selectAll()
      .where((each) => each.and(own))
      .orderBy("started_at", "desc")
      .orderBy("id", "desc");
  return {
    change,
    async begin(db: MetadataStore["db"], row: Omit<Database["erasures"], keyof Scope>): Promise<void> {
      await db
        .insertInto("erasures")
        .values({ ...own, ...row })
        .execute();
    },
    /** Newest first. */
    list: async (): Promise<Erasure[]> => (await all().execute()).map(shown),
    /** @throws ERASE_UNKNOWN */
    async get(id: string): Promise<Erasure> {
      const row = await all().where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw eraseErrors.ERASE_UNKNOWN(`There is no erasure ${id}`);
      return shown(row);
    },
    /** Oldest first. */
    async unfinished(): Promise<UnfinishedErasure[]> {
      const rows = await all().where("state", "=", "running").execute();
      return rows.reverse().map((row) => ({
        ...shown(row),
        // Written by `begin` and `change`.
        keys: row.keys === null ? null : (JSON.parse(row.keys) as WireKeys),
        doomed: JSON.parse(row.doomed) as string[],
      }));
    },
    /** The salt of an entity's earlier erasures; null before the first. */
    async salt(entity: string): Promise<string | null> {
      const row = await all().where("entity", "=", entity).limit(1).executeTakeFirst();
      return row?.salt ?? null;
    },
  };
}

const shown = (row: ErasureTable): Erasure => ({
  id: row.id,
  entity: row.entity,
  state: row.state,
  actor: row.actor,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  hashes: JSON.parse(row.hashes) as string[],
  blocks: row.blocks === 1,
  places: JSON.parse(row.counts) as ErasedPlace[],
});
