import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { CandidateDefinition } from "./candidates.ts";
import type { ColumnType } from "./columns.ts";
import type { FeatureReference, Merge } from "./features.ts";
import type { MetricName, TargetType } from "./metrics.ts";
import { impute, oneHot, type PreparationStep, standardScale } from "./preparation-steps.ts";
import type { SourceDefinition } from "./source.ts";
import type { SplitDefinition } from "./splits.ts";
import type { ClassWeights, RowWeights } from "./training-weights.ts";

/**
 * isotonic: any rising curve, for thousands of rows; sigmoid: two parameters, for few; temperature: one parameter, for several
 * classes.
 */
export type CalibrationMethod = "isotonic" | "sigmoid" | "temperature" | "none";

type Types = Readonly<Record<string, ColumnType>>;

/** Where labels come from: one training row per source row, asked `lead` before it happens. */
export interface LabelDefinition {
  readonly source: SourceDefinition;
  readonly name: string;
  /**
   * SQL over the source's columns, null while the truth is not known. A condition where the charter's target is binary, the class (text or
   * a number) where it is multiclass, a number where it is regression.
   */
  readonly expression: string;
  /** Timestamp column of the labelled event. */
  readonly at: string;
  /** The prediction is made this long before `at`. */
  readonly lead: Micros;
}

/** `labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "2h" })`; `{ delay: "arr_delay" }` for how late. */
export function labels<C extends Types, const N extends string>(
  source: SourceDefinition<C>,
  options: { readonly [K in N]: string } & { at: keyof C & string; lead?: Duration },
): LabelDefinition {
  const { at, lead = "0s", ...named } = options;
  const [label] = Object.entries<string>(named);
  if (label === undefined)
    throw new TypeError('labels() needs one label: labels(source, { late: "delay >= 15", at: "scheduled" })');
  return { source, name: label[0], expression: label[1], at, lead: durationToMicros(lead) };
}

/** What a model's `onTrained` is told: a candidate, evaluated on the selection part of validation. */
export interface CandidateReport {
  readonly name: string;
  readonly kind: CandidateDefinition["kind"];
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly low: number; readonly high: number }>>;
  /** Loss on the selection rows after each tree, where the estimator has steps. */
  readonly history: readonly number[];
  readonly trainingRows: number;
  readonly seconds: number;
}

export interface ModelDefinition<N extends string = string, F extends Types = Types, Q extends Types = Types> {
  readonly kind: "model";
  readonly name: N;
  readonly labels: LabelDefinition;
  readonly features: readonly FeatureReference[];
  readonly split: SplitDefinition;
  readonly prepare: readonly PreparationStep[];
  readonly candidates: readonly CandidateDefinition[];
  /** What candidates are compared by, on the selection part of validation; `selectionMetric` says what where it is absent. */
  readonly select?: MetricName;
  readonly classWeights?: ClassWeights;
  readonly rowWeights?: RowWeights;
  readonly calibrate?: CalibrationMethod;
  /** Names of label-source columns or features by which results are broken down. */
  readonly segments: readonly string[];
  /** Segments by which nobody shall be treated worse: the model card reports on them. */
  readonly protected: readonly string[];
  /** Features, by id or name, that nobody can change: no counterfactual touches them. */
  readonly immutable: readonly string[];
  readonly seed: number;
  /**
   * Called in the step that trained a candidate, within the candidate's run: what it logs by `orrery/tracking`, and what it calls logs, is
   * recorded with that run. When it throws, the candidate has failed.
   */
  readonly onTrained?: (candidate: CandidateReport) => void | Promise<void>;
  /** Only in types: what a request must carry. */
  readonly "~features"?: F;
  readonly "~request"?: Q;
  /** The model by alias, as an endpoint takes it. */
  at(alias: string): ServedModel<N, Q>;
}

export interface ServedModel<N extends string = string, Q extends Types = Types> {
  readonly model: ModelDefinition;
  readonly name: N;
  readonly alias: string;
  readonly "~request"?: Q;
}

const DEFAULT_SELECTION: Readonly<Record<TargetType, MetricName>> = {
  binary: "roc_auc",
  multiclass: "log_loss",
  regression: "rmse",
};

/** The metric that a model's candidates are compared by. */
export const selectionMetric = ({ select }: Pick<ModelDefinition, "select">, target: TargetType): MetricName =>
  select ?? DEFAULT_SELECTION[target];

type Item = FeatureReference | readonly FeatureReference[];
type Leaf<I extends Item> = I extends readonly (infer F extends FeatureReference)[] ? F : I extends FeatureReference ? I : never;

export function defineModel<const N extends string, const I extends readonly Item[]>(
  name: N,
  options: {
    labels: LabelDefinition;
    features: I;
    split: SplitDefinition;
    prepare?: readonly PreparationStep[];
    candidates: readonly CandidateDefinition[];
    /** ROC AUC unless given; of several classes the log loss, of numbers the RMSE. */
    select?: MetricName;
    explain?: { segments?: readonly string[]; protected?: readonly string[]; immutable?: readonly string[] };
    seed?: number;
    classWeights?: ClassWeights;
    /** What training rows weigh: `weightBy("view.feature")`, `weightByAge("90d")`. */
    rowWeights?: RowWeights;
    /** Isotonic (several classes: temperature) unless given. */
    calibrate?: CalibrationMethod;
    onTrained?: ModelDefinition["onTrained"];
  },
): ModelDefinition<N, { readonly [F in Leaf<I[number]> as F["name"]]: F["type"] }, Merge<Leaf<I[number]>["keys" | "request"]>> {
  const model: ModelDefinition<N> = {
    kind: "model",
    name,
    labels: options.labels,
    features: options.features.flat(),
    split: options.split,
    prepare: options.prepare ?? [impute(), standardScale(), oneHot()],
    candidates: options.candidates,
    segments: [...new Set([...(options.explain?.segments ?? []), ...(options.explain?.protected ?? [])])],
    protected: options.explain?.protected ?? [],
    immutable: options.explain?.immutable ?? [],
    seed: options.seed ?? 1,
    ...(options.select !== undefined && { select: options.select }),
    ...(options.classWeights !== undefined && { classWeights: options.classWeights }),
    ...(options.rowWeights !== undefined && { rowWeights: options.rowWeights }),
    ...(options.calibrate !== undefined && { calibrate: options.calibrate }),
    ...(options.onTrained !== undefined && { onTrained: options.onTrained }),
    at: (alias) => ({ model, name, alias }),
  };
  return model as ModelDefinition<
    N,
    { readonly [F in Leaf<I[number]> as F["name"]]: F["type"] },
    Merge<Leaf<I[number]>["keys" | "request"]>
  >;
}
