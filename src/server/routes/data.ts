import {
  type Profile,
  profileSnapshot,
  type Snapshot,
  schemaDiff,
  snapshotPaths,
  snapshotRelation,
} from "../../core/data/index.ts";
import { formatTimestamp } from "../../core/time.ts";
import { platformErrors } from "../../platform/errors.ts";
import { exploreSource, type SourceExploration } from "../../platform/explore-source.ts";
import type { RoomHandlers } from "../handlers.ts";
import type { RouteContext } from "./index.ts";

export function dataHandlers({ platform }: RouteContext): RoomHandlers<"data"> {
  const { project, tracking, artifacts } = platform;
  const latest = async () => {
    const found = await Promise.all(project.sources.map(({ name }) => tracking.latestSnapshot(name)));
    return found.filter((snapshot) => snapshot !== null);
  };
  const named = (name: string) => {
    const source = project.sources.find((each) => each.name === name);
    if (source === undefined) throw platformErrors.PROJECT_SOURCE_UNKNOWN(`There is no source "${name}"`);
    return source;
  };
  const located = async (name: string) => {
    const source = named(name);
    const snapshot = await tracking.latestSnapshot(name);
    if (snapshot === null) throw platformErrors.PROJECT_SOURCE_UNKNOWN(`There is no snapshot of a source "${name}"`);
    return { source, snapshot, relation: snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot)) };
  };
  return {
    async snapshots() {
      return { items: (await latest()).map(snapshotEntity) };
    },
    async history({ name, limit }) {
      named(name);
      return { items: (await tracking.listSnapshots(name)).slice(0, limit).map(snapshotEntity) };
    },
    async snapshot({ id }) {
      const snapshot = await tracking.getSnapshot(id);
      return { ...snapshotEntity(snapshot), columns: { ...snapshot.columns } };
    },
    async diff({ id, other }) {
      const [from, to] = [await tracking.getSnapshot(id), await tracking.getSnapshot(other)];
      if (from.source !== to.source)
        throw platformErrors.PROJECT_SNAPSHOTS_UNLIKE(`${id} is of source ${from.source}, and ${other} of ${to.source}`);
      const { added, removed, retyped, nullability } = schemaDiff(from, to);
      return {
        source: to.source,
        from: snapshotEntity(from),
        to: snapshotEntity(to),
        added: [...added],
        removed: [...removed],
        retyped: [...retyped],
        nullability: [...nullability],
      };
    },
    async profile({ name }) {
      const { source, snapshot, relation } = await located(name);
      return profileEntity(name, snapshot.id, await profileSnapshot(await platform.engine(), relation, source.contracts));
    },
    async exploration({ name, target }) {
      const { source, snapshot, relation } = await located(name);
      const options = target === undefined ? {} : { target };
      const found = await exploreSource(await platform.engine(), relation, source.contracts, options);
      return explorationEntity(name, snapshot.id, found);
    },
  };
}

const profileEntity = (source: string, snapshot: string, { rows, columns }: Profile) => ({
  source,
  snapshot,
  rows,
  columns: columns.map(({ histogram, top, ...column }) => ({
    ...column,
    histogram: histogram === null ? null : { edges: [...histogram.edges], counts: [...histogram.counts] },
    top: [...top],
  })),
});

const explorationEntity = (
  source: string,
  snapshot: string,
  { profile, missingness, sampledRows, correlations, target }: SourceExploration,
) => ({
  source,
  snapshot,
  profile: profileEntity(source, snapshot, profile),
  missingness: {
    patterns: missingness.patterns.map(({ columns, rows }) => ({ columns: [...columns], rows })),
    pairs: missingness.pairs.map((pair) => ({ ...pair, columns: [...pair.columns] })),
  },
  sampledRows,
  correlations: correlations.map(({ method, features, values }) => ({
    method,
    features: [...features],
    values: values.map((row) => [...row]),
  })),
  target:
    target === null
      ? null
      : {
          ...target,
          relations: target.relations.map(({ feature, explained, pearson, spearman, auc }) => ({
            feature,
            explained,
            pearson,
            spearman,
            auc,
          })),
        },
});

const snapshotEntity = (snapshot: Snapshot) => ({
  id: snapshot.id,
  source: snapshot.source,
  contentHash: snapshot.contentHash,
  asOf: formatTimestamp(snapshot.asOf),
  createdAt: formatTimestamp(snapshot.createdAt),
  rows: snapshot.rows,
  bytes: snapshot.bytes,
  parts: snapshot.parts.length,
  quarantined: snapshot.report.quarantined,
  violations: snapshot.report.violations.map((violation) => ({ ...violation, samples: [...violation.samples] })),
  expectations: [...(snapshot.report.expectations ?? [])],
  ...(snapshot.report.schema === undefined
    ? {}
    : { schema: { undeclared: [...snapshot.report.schema.undeclared], retyped: [...snapshot.report.schema.retyped] } }),
  erased: (snapshot.erased ?? []).map(({ erasure, at, rows }) => ({ erasure, at: formatTimestamp(at), rows })),
});
