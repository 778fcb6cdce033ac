import type { Snapshot } from "../data/index.ts";
import type { MetadataStore } from "../ports/index.ts";
import { type Actor, type Scope, systemActor } from "../scope.ts";
import type { Micros } from "../time.ts";
import { trackingErrors } from "./errors.ts";
import { actorText } from "./sortable-id.ts";

export interface SnapshotRecords {
  /** Saving the same id again changes nothing. */
  saveSnapshot(snapshot: Snapshot, actor?: Actor): Promise<void>;
  /** @throws TRACKING_SNAPSHOT_UNKNOWN */
  getSnapshot(id: string): Promise<Snapshot>;
  /** The source's snapshot with the greatest asOf, not after `asOf` where one is given; null before the first. */
  latestSnapshot(source: string, asOf?: Micros): Promise<Snapshot | null>;
  /** Newest first. */
  listSnapshots(source?: string): Promise<Snapshot[]>;
}

// Written by saveSnapshot below and nowhere else.
const read = (json: string) => JSON.parse(json) as Snapshot;

export function snapshotRecords(store: MetadataStore, scope: Scope): SnapshotRecords {
  const { workspace, project } = scope;
  const scoped = () => store.db.selectFrom("snapshots").where("workspace", "=", workspace).where("project", "=", project);
  const newestFirst = () => scoped().orderBy("as_of", "desc").orderBy("created_at", "desc").orderBy("id", "desc");
  return {
    async saveSnapshot(snapshot, actor = systemActor("ingest")) {
      const { id, source, rows, bytes } = snapshot;
      await store.db
        .insertInto("snapshots")
        .values({
          workspace,
          project,
          id,
          source,
          content_hash: snapshot.contentHash,
          as_of: snapshot.asOf,
          rows,
          bytes,
          snapshot: JSON.stringify(snapshot),
          created_at: snapshot.createdAt,
          actor: actorText(actor),
        })
        .onConflict((conflict) => conflict.columns(["workspace", "project", "id"]).doNothing())
        .execute();
    },
    async getSnapshot(id) {
      const row = await scoped().select("snapshot").where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw trackingErrors.TRACKING_SNAPSHOT_UNKNOWN(`There is no snapshot ${id}`);
      return read(row.snapshot);
    },
    async latestSnapshot(source, asOf) {
      const until = asOf === undefined ? newestFirst() : newestFirst().where("as_of", "<=", asOf);
      const row = await until.select("snapshot").where("source", "=", source).limit(1).executeTakeFirst();
      return row === undefined ? null : read(row.snapshot);
    },
    async listSnapshots(source) {
      const of = source === undefined ? newestFirst() : newestFirst().where("source", "=", source);
      return (await of.select("snapshot").execute()).map(({ snapshot }) => read(snapshot));
    },
  };
}
