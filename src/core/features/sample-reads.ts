import { quoteIdentifier, type Snapshot, snapshotPaths, snapshotRelation } from "../data/index.ts";
import type { FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import type { FeatureSample } from "./consistency.ts";
import { referencesOf } from "./feature-references.ts";
import type { FeatureDeps } from "./historical-features.ts";
import { createExactReader } from "./online-reader.ts";
import type { ExactValue } from "./plan.ts";

export interface ReadsToSample {
  readonly scope: Scope;
  readonly view: FeatureViewDefinition;
  readonly snapshot: Snapshot;
  readonly source: SourceDefinition;
  readonly at: Micros;
  /** How many entities; all where there are fewer. */
  readonly entities: number;
  /** With the same one the same entities are drawn. */
  readonly seed: number;
}

export interface SampledReads {
  readonly samples: readonly FeatureSample[];
  /** Of a view over pushed rows, the place in the log up to which rows were online for all of them; null for every other. */
  readonly pushedTo: number | null;
}

/**
 * Reads a stored view's features online at `at`, of entities drawn at random from its source.
 * @throws what the online reader throws
 */
export async function sampleReads(
  deps: FeatureDeps & { readonly online: OnlineStore },
  input: ReadsToSample,
): Promise<SampledReads> {
  const { scope, view, at } = input;
  const requests = Object.keys(view.entity.keys).length === 0 ? [{}] : await drawEntities(deps, input);
  if (requests.length === 0) return { samples: [], pushedTo: null };
  const features = referencesOf(view);
  const plan = compileFeaturePlan({ name: view.name, features });
  const { values, materializedUntil, pushedTo } = await createExactReader(plan, deps.online, scope).read(requests, at);
  const samples = requests.map((fields, row): FeatureSample => {
    const read = features.map(({ id }, feature) => [id, values[row][feature]] as const);
    return { at, fields, values: Object.fromEntries(read), materialized: materializedUntil, prediction: null };
  });
  return { samples, pushedTo: pushedTo[view.name] ?? null };
}

async function drawEntities(
  { engine, artifacts }: FeatureDeps,
  { view, snapshot, source, at, entities, seed }: ReadsToSample,
): Promise<Readonly<Record<string, ExactValue>>[]> {
  const names = Object.keys(view.entity.keys);
  const relation = snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot), { asOf: at, columns: names });
  const keys = names.map(quoteIdentifier).join(", ");
  const known = names.map((name) => `${quoteIdentifier(name)} IS NOT NULL`).join(" AND ");
  return engine.rows(
    `SELECT ${keys} FROM (SELECT DISTINCT ${keys} FROM ${relation} WHERE ${known}) ORDER BY hash(${keys}, ${seed}), ${keys} LIMIT ${entities}`,
  );
}
