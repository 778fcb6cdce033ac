import type { Dataset, RowSelection } from "../dataset.ts";
import { type ClassBalance, classBalance } from "./class-balance.ts";
import { type CorrelationMatrix, correlationMatrix } from "./correlation.ts";
import { type ExplorationTarget, evenSample } from "./exploration-target.ts";
import { type FeatureProfile, profileFeatures } from "./feature-profile.ts";
import { type LeakageOptions, type LeakageSuspicion, leakageSuspicions } from "./leakage-suspicions.ts";
import { type TargetRelation, targetRelations } from "./target-relation.ts";

export interface Exploration {
  readonly rows: number;
  readonly features: readonly FeatureProfile[];
  /** `null` for regression. */
  readonly balance: ClassBalance | null;
  /** Of `sampledRows` evenly spaced rows, as are correlations and suspicions. */
  readonly relations: readonly TargetRelation[];
  readonly sampledRows: number;
  readonly correlations: readonly CorrelationMatrix[];
  readonly suspicions: readonly LeakageSuspicion[];
}

export interface ExplorationOptions extends LeakageOptions {
  /** Rows that relations and correlations are computed on, evenly spaced: they sort every column. 50,000 unless said. */
  readonly maxRows?: number;
}

/**
 * What is in a training set, before anything is trained: what each feature holds, how it goes with the target and with the others, and
 * what looks like a leak. Give the rows that train, not those that test. Plain JSON. Takes the thread.
 */
export function exploreTrainingSet(
  dataset: Dataset,
  rows: RowSelection,
  target: ExplorationTarget,
  options: ExplorationOptions = {},
): Exploration {
  const { maxRows = 50_000 } = options;
  const sample = evenSample(rows, target, maxRows);
  const relations = targetRelations(dataset, sample.rows, sample.target);
  return {
    rows: rows.length,
    features: profileFeatures(dataset, rows),
    balance: target.task === "regression" ? null : classBalance(dataset, rows, target.values),
    relations,
    sampledRows: sample.rows.length,
    correlations: (["pearson", "spearman"] as const).map((method) => correlationMatrix(dataset, sample.rows, method)),
    suspicions: leakageSuspicions(dataset, sample.rows, sample.target, relations, options),
  };
}
