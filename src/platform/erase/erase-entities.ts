import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { recordAudit } from "../../core/access/index.ts";
import {
  type ErasedPlace,
  entityCondition,
  erasedSnapshot,
  hashKeys,
  type KeyedEntities,
  keyText,
  type Snapshot,
} from "../../core/data/index.ts";
import type { EntityDefinition, ProjectDefinition } from "../../core/definitions/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import { entityReach, fieldsMatcher, projectEntities } from "../../core/features/index.ts";
import type { PipelineLog } from "../../core/pipelines/index.ts";
import type { Clock, TableEngine } from "../../core/ports/index.ts";
import type { Actor } from "../../core/scope.ts";
import { actorText, contentInUse, rewriteDocuments, sortableId } from "../../core/tracking/index.ts";
import type { Gate } from "../gate.ts";
import type { PushRoom } from "../push/push-room.ts";
import type { RenewInput } from "../stages/renew-online.ts";
import { listTrainingSets, replaceTrainingSetFile } from "../training-sets.ts";
import type { EraseAnswer, EraseQuestion } from "./erasing.ts";
import { type Erasure, erasureJournal, type UnfinishedErasure } from "./erasure-journal.ts";
import { eraseErrors } from "./errors.ts";
import { type ContentRooms, gatherContent } from "./gather-content.ts";
import { markLineage } from "./mark-lineage.ts";
import { entityNamed, parseKeys, type WireKeys, wireOf } from "./parse-keys.ts";
import { type ErasedContent, rewriteDocument } from "./rewrite-document.ts";

export interface ErasureRooms extends ContentRooms {
  readonly project: ProjectDefinition;
  readonly clock: Clock;
  readonly log: PipelineLog;
  readonly push: PushRoom | null;
  /** Nothing else reads or writes rows while an erasure is alone. */
  readonly gate: Gate;
  engine(): Promise<TableEngine>;
  /** In a worker: what lies in files and in the online store. */
  eraseFiles(question: EraseQuestion): Promise<EraseAnswer>;
  /** In a worker: writes what is online anew where its rows are others. @returns the snapshots that it is of now */
  renewOnline(input: RenewInput): Promise<RenewInput["snapshots"]>;
  /** Writes over what was removed from the online store. */
  scrubOnline(): Promise<void>;
  /** Snapshots that are in use and may not be on record. */
  held(): Promise<Readonly<Record<string, Snapshot>>>;
  /** Puts others in their place. */
  hold(snapshots: Readonly<Record<string, Snapshot>>): void;
}

export interface ErasureRequest {
  readonly entity: string;
  readonly keys: WireKeys;
  /** false: rows of these keys are taken in again where a source delivers them. */
  readonly blocks: boolean;
}

export interface Erasures {
  /** What would be erased of some entities, and where. @throws ERASE_ENTITY_UNKNOWN, ERASE_KEY_INVALID */
  plan(request: Omit<ErasureRequest, "blocks">): Promise<readonly ErasedPlace[]>;
  /**
   * Erases everything of some entities. Alone: what reads or writes rows waits. Cut off, it is finished by `resume`.
   * @throws ERASE_ENTITY_UNKNOWN, ERASE_KEY_INVALID, ERASE_RUNS_ACTIVE: nothing was changed then
   */
  erase(request: ErasureRequest, actor: Actor): Promise<Erasure>;
  list(): Promise<readonly Erasure[]>;
  /** @throws ERASE_UNKNOWN */
  get(id: string): Promise<Erasure>;
  /** Finishes what was cut off. One that cannot be finished now is tried again at the next start. */
  resume(): Promise<void>;
}

interface Subject {
  readonly entity: EntityDefinition;
  readonly entities: KeyedEntities;
}

export function openErasures(rooms: ErasureRooms): Erasures {
  const { store, scope, project, clock, gate } = rooms;
  const journal = erasureJournal(store, scope);
  const subjectOf = (name: string, keys: WireKeys): Subject => {
    const entity = entityNamed(projectEntities(project), name);
    return { entity, entities: parseKeys(entity, keys) };
  };

  /** What lies in files and online, and in the log of pushed rows. */
  async function look({ entity, entities }: Subject, dryRun: boolean) {
    const content = await gatherContent(rooms, Object.values(await rooms.held()));
    const answer = await rooms.eraseFiles({ entity: entity.name, keys: wireOf(entities), dryRun, ...content });
    return { answer, pushed: await erasePushed(rooms, { entity, entities }, dryRun) };
  }

  const planned = async (subject: Subject) => {
    const { answer, pushed } = await look(subject, true);
    return [...answer.places, ...pushed];
  };

  async function finish(erasure: UnfinishedErasure): Promise<void> {
    if (erasure.keys !== null) {
      const subject = subjectOf(erasure.entity, erasure.keys);
      const { answer } = await look(subject, false);
      const doomed = await replaceContent(rooms, erasure, subject, answer);
      await removeContent(rooms, doomed);
      // Who is not blocked would come back with the next delivery: that is for somebody else to ask for.
      rooms.hold(await rooms.renewOnline({ snapshots: await rooms.held(), readsSources: erasure.blocks }));
      await rooms.scrubOnline();
    }
    // The keys themselves last: until then it can go on.
    await journal.change(store.db, erasure.id, { keys: null, doomed: "[]" });
    await store.scrub();
    await journal.change(store.db, erasure.id, { state: "done", ended_at: clock.now() });
  }

  return {
    plan: async ({ entity, keys }) => {
      const subject = subjectOf(entity, keys);
      return gate.shared(() => planned(subject));
    },

    async erase({ entity: name, keys, blocks }, actor) {
      const subject = subjectOf(name, keys);
      return gate.alone(async () => {
        await refuseRuns(rooms);
        const salt = (await journal.salt(name)) ?? randomBytes(16).toString("hex");
        const hashes = await hashKeys(await rooms.engine(), subject.entities, salt);
        const places = await planned(subject);
        const id = sortableId("erasure", clock);
        const began = {
          ...{ id, entity: name, state: "running" as const, salt, hashes: JSON.stringify(hashes), blocks: blocks ? 1 : 0 },
          ...{ keys: JSON.stringify(wireOf(subject.entities)), actor: actorText(actor), started_at: clock.now() },
          ...{ ended_at: null, counts: JSON.stringify(places), doomed: "[]" },
        };
        await store.transaction(async (db) => {
          await journal.begin(db, began);
          const details = { entity: name, hashes, rows: places.reduce((sum, { rows }) => sum + rows, 0), blocks };
          await recordAudit(db, scope, clock, { actor, action: "erasures.create", target: id, details });
        });
        const unfinished = (await journal.unfinished()).find((each) => each.id === id);
        if (unfinished !== undefined) await finish(unfinished);
        return journal.get(id);
      });
    },

    list: journal.list,
    get: journal.get,

    resume: async () => {
      const unfinished = await journal.unfinished();
      if (unfinished.length === 0) return;
      await gate.alone(async () => {
        for (const erasure of unfinished) {
          try {
            await finish(erasure);
            rooms.log.info({ erasure: erasure.id }, "an erasure that was cut off is finished");
          } catch (error) {
            const { code, message } = toOrreryError(error);
            rooms.log.error({ erasure: erasure.id, code }, `an erasure that was cut off is not finished: ${message}`);
          }
        }
      });
    },
  };
}

/** @throws ERASE_RUNS_ACTIVE */
async function refuseRuns({ store, scope }: ErasureRooms): Promise<void> {
  const active = await store.db
    .selectFrom("pipeline_runs")
    .select(["id", "pipeline"])
    .where((each) => each.and({ workspace: scope.workspace, project: scope.project }))
    .where("ended_at", "is", null)
    .limit(1)
    .executeTakeFirst();
  if (active !== undefined)
    throw eraseErrors.ERASE_RUNS_ACTIVE(`Pipeline ${active.pipeline} is running (${active.id})`, { details: { run: active.id } });
}

async function erasePushed(
  { project, push }: ErasureRooms,
  { entity, entities }: Subject,
  dryRun: boolean,
): Promise<ErasedPlace[]> {
  if (push === null) return [];
  const { sources } = entityReach(project, entity);
  const places: ErasedPlace[] = [];
  for (const { name, origin, contracts } of project.sources) {
    if (origin.kind !== "push") continue;
    const types = Object.fromEntries(Object.entries(contracts).map(([column, { type }]) => [column, type]));
    const ways = (sources.get(name) ?? []).flatMap((columns) => entityCondition(entities, columns, types) ?? []);
    if (ways.length === 0) continue;
    places.push({ what: "pushed row", where: name, rows: await push.erase(name, `(${ways.join(" OR ")})`, { dryRun }) });
  }
  return places;
}

/** Names the new files in place of the old ones everywhere at once. @returns hashes of artifacts that are to be removed */
async function replaceContent(
  rooms: ErasureRooms,
  erasure: UnfinishedErasure,
  { entity, entities }: Subject,
  answer: EraseAnswer,
): Promise<readonly string[]> {
  const { store, scope, project } = rooms;
  const mark = { erasure: erasure.id, at: erasure.startedAt };
  const sets = new Map(answer.sets.map((set) => [set.from, set]));
  const ways = [...entityReach(project, entity).sources.values()].flat();
  const isNamed = ways.map((columns) => fieldsMatcher(columns, entities));
  const content: ErasedContent = {
    mark,
    files: new Map(answer.files.map((file) => [file.from, file])),
    sets,
    others: new Map(answer.samples.map(({ from, to }) => [from, to])),
    rows: answer.rows,
    texts: textsOf(entities),
    isNamed: (fields) => isNamed.some((matches) => matches(fields)),
  };
  // First, because they are found by the rows of the training sets.
  for (const { path, to } of answer.samples) await rooms.tracking.files.place(path, to);
  for (const set of await listTrainingSets(rooms)) {
    const erased = sets.get(set.file.sha256);
    if (erased === undefined) continue;
    const { rows, labelled, positives, pending, censored, to } = erased;
    await replaceTrainingSetFile(
      rooms,
      set,
      { ...to, mediaType: set.file.mediaType },
      { erasure: { ...mark, rows: erased.erased }, figures: { rows, labelled, positives, pending, censored } },
    );
  }
  const gone = [...answer.files, ...answer.sets, ...answer.samples].map(({ from }) => from);
  const doomed = [...new Set([...erasure.doomed, ...gone, ...answer.unnamed])];
  await store.transaction(async (db) => {
    await rewriteDocuments(db, scope, (document) => rewriteDocument(document, content));
    for (const id of Object.keys(answer.rows)) await tellSnapshot(db, scope, id);
    await markLineage(store, db, scope, content);
    for (const { from, to } of answer.sets) await renameDatasets(db, scope, from, to.sha256);
    await erasureJournal(store, scope).change(db, erasure.id, { doomed: JSON.stringify(doomed) });
  });
  const held = Object.entries(await rooms.held());
  rooms.hold(
    Object.fromEntries(
      held.map(([source, snapshot]) => {
        const rows = answer.rows[snapshot.id];
        return [
          source,
          erasedSnapshot(snapshot, content.files, { ...mark, ...(rows === undefined ? {} : { rows }) }) ?? snapshot,
        ];
      }),
    ),
  );
  return doomed;
}

/** Runs name the training set that they learned from as a data set of theirs. */
async function renameDatasets(
  db: ErasureRooms["store"]["db"],
  { workspace, project }: ErasureRooms["scope"],
  from: string,
  to: string,
): Promise<void> {
  await db
    .updateTable("datasets")
    .set({ source: sql<string>`replace(source, ${from}, ${to})` })
    .where((each) => each.and({ workspace, project }))
    .where("source", "like", `%${from}%`)
    .execute();
}

const textsOf = ({ types, keys }: KeyedEntities): Set<string> =>
  new Set(keys.flatMap((values) => Object.entries(values).map(([name, value]) => keyText(value, types[name]))));

/** Its row says beside the document what the document says. */
async function tellSnapshot(
  db: ErasureRooms["store"]["db"],
  { workspace, project }: ErasureRooms["scope"],
  id: string,
): Promise<void> {
  const own = { workspace, project, id };
  const row = await db
    .selectFrom("snapshots")
    .select("snapshot")
    .where((each) => each.and(own))
    .executeTakeFirst();
  if (row === undefined) return;
  // Written by tracking, and rewritten above.
  const { contentHash, rows, bytes } = JSON.parse(row.snapshot) as Snapshot;
  await db
    .updateTable("snapshots")
    .set({ content_hash: contentHash, rows, bytes })
    .where((each) => each.and(own))
    .execute();
}

/** Removes the bytes, unless something of another project names them too. */
async function removeContent({ store, artifacts, log }: ErasureRooms, doomed: readonly string[]): Promise<void> {
  const { files, others } = await contentInUse(store.db);
  for (const hash of doomed) {
    if (files.has(hash) || others.has(hash)) log.warn({ sha256: hash }, "an artifact stays, because another project names it");
    else await artifacts.remove(hash);
  }
}
