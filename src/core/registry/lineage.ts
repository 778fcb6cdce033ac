import type { ErasureMark, Snapshot } from "../data/index.ts";
import type { MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import type { ModelVersion } from "./interfaces.ts";
import { isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";
import { chunksOf } from "./registry-rows.ts";

/** Something a run read. */
export interface LineageData {
  /** A source of the project, or the data set's name as its run says it. */
  readonly source: string;
  /** Snapshot id, or the data set's digest. */
  readonly id: string;
  readonly kind: "snapshot" | "dataset";
  /** These three are null of a data set, and of a snapshot that is not on record. */
  readonly contentHash: string | null;
  readonly asOf: Micros | null;
  readonly rows: number | null;
}

/** What was taken out of the data of a version after it was made. */
export type LineageErasure = Pick<ErasureMark, "erasure" | "at" | "rows">;

export interface LineageRun {
  readonly id: string;
  readonly name: string;
  readonly experimentId: string;
  readonly parentRunId: string | null;
  readonly gitCommit: string | null;
  readonly startedAt: Micros;
}

/** Where a version comes from. */
export interface VersionLineage {
  readonly model: string;
  readonly version: number;
  /** null for a version without a run, or whose run is not here. */
  readonly run: LineageRun | null;
  readonly loggedModel: { readonly id: string; readonly name: string } | null;
  /** The version it is a copy of. */
  readonly copyOf: { readonly model: string; readonly version: number } | null;
  /** What its run read, and what the runs of the models read that its run started from. */
  readonly data: readonly LineageData[];
  /** Erasures that took rows out of this data after a run had read it, the earliest first: the version can no longer be made again. */
  readonly erased: readonly LineageErasure[];
  /** Logged models that its run started from. */
  readonly inputModels: readonly string[];
}

/** A version that depends on a source. */
export interface Dependent {
  readonly model: string;
  readonly version: number;
  readonly aliases: readonly string[];
  readonly runId: string;
  /** Snapshot of the source, or digest of the data set, that it was made from. */
  readonly snapshot: string;
}

export interface Lineage {
  /** @throws REGISTRY_VERSION_UNKNOWN */
  lineage(model: string, version: number): Promise<VersionLineage>;
  /** Every version that was made from any snapshot of the source, by model and version; directly or through a model that it started from. */
  dependents(source: string): Promise<readonly Dependent[]>;
}

export function lineageRecords(store: MetadataStore, { workspace, project }: Scope, rows: RegistryRows): Lineage {
  const { db } = store;

  const runsById = async (ids: readonly string[]) => {
    const found = [];
    for (const chunk of chunksOf(ids))
      found.push(
        ...(await db
          .selectFrom("runs")
          .select(["id", "name", "experiment_id", "parent_run_id", "git_commit", "started_at", "snapshots"])
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("id", "in", chunk)
          .execute()),
      );
    return found;
  };

  /** Of each run the runs whose models it started from. */
  const startedFrom = async (ids: readonly string[]) => {
    const found: { run_id: string; model_id: string; source_run_id: string | null }[] = [];
    for (const chunk of chunksOf(ids))
      found.push(
        ...(await db
          .selectFrom("run_models as input")
          .innerJoin("logged_models as model", (join) =>
            join
              .onRef("model.workspace", "=", "input.workspace")
              .onRef("model.project", "=", "input.project")
              .onRef("model.id", "=", "input.model_id"),
          )
          .select(["input.run_id", "input.model_id", "model.source_run_id"])
          .where("input.workspace", "=", workspace)
          .where("input.project", "=", project)
          .where("input.direction", "=", "input")
          .where("input.run_id", "in", chunk)
          .orderBy("input.model_id")
          .execute()),
      );
    return found;
  };

  /** The runs behind each run, itself first, through models that one left and another started from. */
  const ancestry = async (ids: readonly string[]): Promise<(id: string) => string[]> => {
    const parents = new Map<string, string[]>();
    for (let level = [...new Set(ids)]; level.length > 0; ) {
      for (const id of level) parents.set(id, []);
      // An evaluation reads the model that the same run made.
      for (const { run_id, source_run_id } of await startedFrom(level))
        if (source_run_id !== null && source_run_id !== run_id) parents.get(run_id)?.push(source_run_id);
      level = [...new Set(level.flatMap((id) => parents.get(id) ?? []))].filter((id) => !parents.has(id));
    }
    return (id) => {
      const seen = new Set([id]);
      for (const each of seen) for (const parent of parents.get(each) ?? []) seen.add(parent);
      return [...seen];
    };
  };

  /** What was taken out of the snapshots that these runs read, since the first run that read each began. */
  const erasedSince = async (runs: Awaited<ReturnType<typeof runsById>>): Promise<LineageErasure[]> => {
    const begun = new Map<string, Micros>();
    // Written by tracking, an array of ids.
    for (const { snapshots, started_at } of runs)
      for (const id of JSON.parse(snapshots) as string[]) begun.set(id, Math.min(begun.get(id) ?? started_at, started_at));
    const found = new Map<string, LineageErasure>();
    for (const chunk of chunksOf([...begun.keys()])) {
      const rows = await db
        .selectFrom("snapshots")
        .select(["id", "snapshot"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "in", chunk)
        .execute();
      for (const { id, snapshot } of rows) {
        // Written by tracking, a snapshot.
        const { erased = [] } = JSON.parse(snapshot) as Pick<Snapshot, "erased">;
        for (const { erasure, at, rows: taken } of erased)
          if (at >= (begun.get(id) ?? at)) found.set(erasure, { erasure, at, rows: taken + (found.get(erasure)?.rows ?? 0) });
      }
    }
    return [...found.values()].sort((one, other) => one.at - other.at);
  };

  /** What each run read by itself. */
  const readBy = async (ids: readonly string[]): Promise<Map<string, LineageData[]>> => {
    const read = new Map<string, LineageData[]>(ids.map((id) => [id, []]));
    const snapshotsOf = new Map<string, string[]>();
    // Written by tracking, an array of ids.
    for (const run of await runsById(ids)) snapshotsOf.set(run.id, JSON.parse(run.snapshots) as string[]);
    const snapshots = new Map<string, LineageData>();
    for (const chunk of chunksOf([...new Set([...snapshotsOf.values()].flat())])) {
      const found = await db
        .selectFrom("snapshots")
        .select(["id", "source", "content_hash", "as_of", "rows"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "in", chunk)
        .execute();
      for (const each of found)
        snapshots.set(each.id, {
          source: each.source,
          id: each.id,
          kind: "snapshot",
          contentHash: each.content_hash,
          asOf: each.as_of,
          rows: each.rows,
        });
    }
    const unknown = (id: string): LineageData => ({
      source: "",
      id,
      kind: "snapshot",
      contentHash: null,
      asOf: null,
      rows: null,
    });
    for (const [run, of] of snapshotsOf)
      read.set(
        run,
        of.map((id) => snapshots.get(id) ?? unknown(id)),
      );
    for (const chunk of chunksOf(ids)) {
      const datasets = await db
        .selectFrom("run_datasets")
        .select(["run_id", "name", "digest"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("run_id", "in", chunk)
        .orderBy("position")
        .execute();
      for (const { run_id, name, digest } of datasets)
        read.get(run_id)?.push({ source: name, id: digest, kind: "dataset", contentHash: null, asOf: null, rows: null });
    }
    return read;
  };

  return {
    async lineage(model, version) {
      const row = await rows.activeVersion(model, version);
      const [run] = row.run_id === null ? [] : await runsById([row.run_id]);
      const logged =
        row.model_id === null
          ? undefined
          : await db
              .selectFrom("logged_models")
              .select(["id", "name"])
              .where("workspace", "=", workspace)
              .where("project", "=", project)
              .where("id", "=", row.model_id)
              .executeTakeFirst();
      const [, copied, number] = /^models:\/([^/]+)\/(\d+)$/.exec(row.source) ?? [];
      const behind = run === undefined ? [] : (await ancestry([run.id]))(run.id);
      const read = await readBy(behind);
      return {
        model,
        version,
        run:
          run === undefined
            ? null
            : {
                id: run.id,
                name: run.name,
                experimentId: run.experiment_id,
                parentRunId: run.parent_run_id,
                gitCommit: run.git_commit,
                startedAt: run.started_at,
              },
        loggedModel: logged ?? null,
        copyOf: copied === undefined ? null : { model: copied, version: Number(number) },
        data: eachOnce(behind.flatMap((id) => read.get(id) ?? [])),
        erased: await erasedSince(await runsById(behind)),
        inputModels: run === undefined ? [] : [...new Set((await startedFrom([run.id])).map(({ model_id }) => model_id))],
      };
    },

    async dependents(source) {
      if (!isStorable(source)) return [];
      const made: ModelVersion[] = await rows.readVersions(
        await rows
          .versions()
          .where("run_id", "is not", null)
          .where("lifecycle", "=", "active")
          .orderBy("model")
          .orderBy("version")
          .execute(),
      );
      const runIds = made.flatMap(({ runId }) => (runId === null ? [] : [runId]));
      const behind = await ancestry(runIds);
      const read = await readBy([...new Set(runIds.flatMap(behind))]);
      return made.flatMap(({ model, version, aliases, runId }) => {
        if (runId === null) return [];
        const from = eachOnce(behind(runId).flatMap((id) => read.get(id) ?? [])).filter((data) => data.source === source);
        return from.map(({ id }) => ({ model, version, aliases, runId, snapshot: id }));
      });
    },
  };
}

const eachOnce = (data: readonly LineageData[]): LineageData[] => [
  ...new Map(data.map((each) => [JSON.stringify([each.kind, each.source, each.id]), each])).values(),
];
