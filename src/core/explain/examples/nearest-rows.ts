import type { FeatureValue } from "../../features/index.ts";
import type { Micros } from "../../time.ts";
import {
  type Dataset,
  type FeatureColumn,
  featuresOf,
  type ModelPackage,
  predict,
  type RowSelection,
} from "../../training/index.ts";
import { cellOf, valueOfCell, withCategories } from "../counterfactuals/row-variants.ts";
import { explainErrors } from "../errors.ts";
import { checkFeatures, evenSample, everyRow, takeRows } from "../sample-rows.ts";
import type { Background } from "../shap/feature-game.ts";
import { leafProximity } from "./leaf-proximity.ts";
import { rowDistance } from "./row-distance.ts";

export interface NearestRowsOptions {
  /** Rows given; 5 unless said. */
  readonly count?: number;
  /**
   * features (unless said): how much the rows' values differ, see `rowDistance`. leaves: 1 less the share of the model's trees in which
   * they come to the same leaf.
   */
  readonly by?: "features" | "leaves";
  /** For `features`: what each counts, by id (mean |SHAP| is a good choice); those that the model reads, all alike, unless said. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Reference rows searched, evenly spaced; 20,000 unless said. */
  readonly maxRows?: number;
}

export interface NearRow {
  /** Position in the reference dataset. */
  readonly row: number;
  readonly distance: number;
  /** 0 or 1, the class's name, or the value. */
  readonly label: number | string;
  readonly at: Micros;
  readonly labelAt: Micros;
  /** What the model predicts for it: probability, value, or the class's name. */
  readonly prediction: number | string;
  /** Where it differs most from the row in question; at most 3. */
  readonly differences: readonly { readonly feature: string; readonly value: FeatureValue; readonly asked: FeatureValue }[];
}

export interface NearestRows {
  readonly by: "features" | "leaves";
  /** Nearest first; of equally near ones the most recent. */
  readonly rows: readonly NearRow[];
  /** Reference rows searched. */
  readonly searched: number;
}

const DEFAULTS = { count: 5, by: "features", maxRows: 20_000 } as const;
const SHOWN = 3;

/**
 * The training rows most like a row, with what became of them: an explanation by examples, and a check whether the model has seen
 * anything like it.
 *
 * @param values in the plan's order
 * @throws EXPLAIN_FEATURES_MISMATCH, EXPLAIN_NO_ROWS, EXPLAIN_TREES_NEEDED for leaves of other models, EXPLAIN_FEATURE_UNKNOWN,
 *   EXPLAIN_WEIGHTS_INVALID
 */
export function nearestRows(
  model: ModelPackage,
  values: readonly FeatureValue[],
  reference: Background,
  options: NearestRowsOptions = {},
): NearestRows {
  const { count, by, maxRows, weights } = { weights: undefined, ...DEFAULTS, ...options };
  checkFeatures(model, reference.dataset);
  if (values.length !== model.plan.features.length) {
    throw explainErrors.EXPLAIN_FEATURES_MISMATCH(`${values.length} values for ${model.plan.features.length} features`);
  }
  const searched = evenSample(reference.rows, maxRows);
  const dataset = withRow(takeRows(reference.dataset, searched), values);
  const asked = dataset.rows - 1;
  const others = everyRow(dataset).subarray(0, asked);
  const distance = rowDistance(dataset, others, weights ?? readByModel(model));
  const distances =
    by === "features" ? distance.from(asked) : leafProximity(model, dataset, asked, others).map((proximity) => 1 - proximity);
  const nearest = Array.from(others)
    .sort((a, b) => distances[a] - distances[b] || dataset.at[b] - dataset.at[a] || a - b)
    .slice(0, count);
  const predicted = predictions(model, dataset, Uint32Array.from(nearest));
  return {
    by,
    searched: searched.length,
    rows: nearest.map((row, i) => ({
      row: searched[row],
      distance: distances[row],
      label: dataset.task === "multiclass" ? dataset.classes[dataset.label[row]] : dataset.label[row],
      at: dataset.at[row],
      labelAt: dataset.labelAt[row],
      prediction: predicted[i],
      differences: largest(distance.parts(asked, row)).map((feature) => ({
        feature: dataset.features[feature].id,
        value: valueAt(model, dataset, feature, row),
        asked: valueAt(model, dataset, feature, asked),
      })),
    })),
  };
}

/** Features of the model's columns; all of them where it has none or they are its members'. */
function readByModel({ preparation, plan }: ModelPackage): Record<string, number> | undefined {
  const read = [...new Set(preparation.columns.flatMap(featuresOf))];
  return read.length === 0 ? undefined : Object.fromEntries(read.map((feature) => [plan.features[feature].id, 1]));
}

/** One more row at the end; its label and times mean nothing. */
function withRow(dataset: Dataset, values: readonly FeatureValue[]): Dataset {
  const wide = withCategories(
    dataset,
    values.map((value) => [value]),
  );
  const features = wide.features.map((column, index): FeatureColumn => {
    const cell = cellOf(column, values[index]);
    return column.kind === "categorical"
      ? { ...column, codes: appended(new Int32Array(dataset.rows + 1), column.codes, cell) }
      : { ...column, values: appended(new Float64Array(dataset.rows + 1), column.values, cell) };
  });
  return { ...wide, rows: dataset.rows + 1, features, rule: appended(new Uint8Array(dataset.rows + 1), dataset.rule, 0) };
}

function appended<A extends Float64Array | Int32Array | Uint8Array>(longer: A, values: ArrayLike<number>, last: number): A {
  longer.set(values);
  longer[values.length] = last;
  return longer;
}

function predictions(model: ModelPackage, dataset: Dataset, rows: RowSelection): (number | string)[] {
  const { prediction } = predict(model, dataset, rows);
  if (model.task !== "multiclass") return Array.from(prediction);
  const classes = model.classes.length;
  return Array.from(rows, (_, i) => {
    const own = prediction.subarray(i * classes, (i + 1) * classes);
    return model.classes[own.indexOf(Math.max(...own))];
  });
}

const largest = (parts: Float64Array): number[] =>
  Array.from(parts.keys())
    .filter((feature) => parts[feature] > 0)
    .sort((a, b) => parts[b] - parts[a] || a - b)
    .slice(0, SHOWN);

function valueAt({ plan }: ModelPackage, { features }: Dataset, feature: number, row: number): FeatureValue {
  const column = features[feature];
  return valueOfCell(column, plan.features[feature].type, column.kind === "categorical" ? column.codes[row] : column.values[row]);
}
