import { expect } from "vitest";
import { snapshotPaths } from "../../data/index.ts";
import { type FeatureReference, type FeatureViewDefinition, storedView } from "../../definitions/index.ts";
import type { OnlineStore } from "../../ports/index.ts";
import type { Micros } from "../../time.ts";
import { compileFeaturePlan } from "../compile-plan.ts";
import { historicalFeatures } from "../historical-features.ts";
import { materialize } from "../materialize.ts";
import { createExactReader } from "../online-reader.ts";
import type { ExactValue } from "../plan.ts";
import { type FeatureArray, valueAt } from "../view-rows.ts";
import type { SourceRow } from "./oracle.ts";
import { selectRows, snapshotOf, type Workbench } from "./snapshots.ts";

/** Keys, request fields and `at`, when it is asked. */
export type Ask = SourceRow & { readonly at: Micros };

let projects = 0;

/** One row of values for each ask, from the point-in-time join and from the online store, which must be equal to the last bit. */
export async function bothWays(
  bench: Workbench & { readonly online: OnlineStore },
  features: readonly FeatureReference[],
  rows: ReadonlyMap<string, readonly SourceRow[]>,
  asks: readonly Ask[],
): Promise<ExactValue[][]> {
  const scope = { workspace: "test", project: `both ways ${++projects}` };
  const plan = compileFeaturePlan({ name: "m", features });
  const views = viewsOf(features);
  const asOf = Math.max(...asks.map(({ at }) => at));
  const snapshots = new Map(
    await Promise.all(
      views.map(async ({ source }) => {
        const snapshot = await snapshotOf(bench, source, [rows.get(source.name) ?? []], asOf);
        return [source.name, { snapshot, source }] as const;
      }),
    ),
  );
  const { columns } = await historicalFeatures(bench, {
    features,
    snapshots,
    entityRows: selectRows({ ...plan.request, ...plan.keys, at: "timestamp" }, asks),
    asOf,
  });
  const offline = asks.map((_, ask) => plan.features.map(({ id }) => exactly(columns.get(id), ask)));
  const online: ExactValue[][] = [];
  const reader = createExactReader(plan, bench.online, scope);
  // Step by step, as time goes on, so that records are appended to as well as written.
  for (const ask of asks.toSorted((one, other) => one.at - other.at)) {
    for (const view of views) {
      const found = snapshots.get(view.source.name);
      if (found === undefined) continue;
      const paths = await snapshotPaths(bench.artifacts, found.snapshot);
      await materialize({ engine: bench.engine, online: bench.online }, { scope, view, ...found, paths, until: ask.at });
    }
    const { values } = await reader.read([ask], ask.at);
    online[asks.indexOf(ask)] = values[0];
  }
  expect(online, "the online values are the offline ones").toEqual(offline);
  return offline;
}

const exactly = (column: FeatureArray | undefined, row: number): ExactValue =>
  column === undefined ? null : valueAt(column, row);

function viewsOf(features: readonly FeatureReference[]): FeatureViewDefinition[] {
  const found = features.flatMap(({ from }) => (from.kind === "feature-view" ? [storedView(from)] : viewsOf(from.inputs)));
  return [...new Set(found)];
}
