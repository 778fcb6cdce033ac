import { profileSnapshot, type Snapshot, snapshotPaths, snapshotRelation } from "../../core/data/index.ts";
import { formatTimestamp } from "../../core/time.ts";
import { platformErrors } from "../../platform/errors.ts";
import type { RoomHandlers } from "../handlers.ts";
import type { RouteContext } from "./index.ts";

export function dataHandlers({ platform }: RouteContext): RoomHandlers<"data"> {
  const { project, tracking, artifacts } = platform;
  const latest = async () => {
    const found = await Promise.all(project.sources.map(({ name }) => tracking.latestSnapshot(name)));
    return found.filter((snapshot) => snapshot !== null);
  };
  return {
    async snapshots() {
      return { items: (await latest()).map(snapshotEntity) };
    },
    async profile({ name }) {
      const source = project.sources.find((each) => each.name === name);
      const snapshot = source === undefined ? null : await tracking.latestSnapshot(name);
      if (source === undefined || snapshot === null)
        throw platformErrors.PROJECT_SOURCE_UNKNOWN(`There is no snapshot of a source "${name}"`);
      const relation = snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot));
      const { rows, columns } = await profileSnapshot(await platform.engine(), relation, source.contracts);
      return {
        source: name,
        snapshot: snapshot.id,
        rows,
        columns: columns.map(({ histogram, top, ...column }) => ({
          ...column,
          histogram: histogram === null ? null : { edges: [...histogram.edges], counts: [...histogram.counts] },
          top: [...top],
        })),
      };
    },
  };
}

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
});
