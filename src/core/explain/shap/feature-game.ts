import type { FeatureValue } from "../../features/index.ts";
import { type Dataset, type FeatureColumn, type ModelPackage, predict, type RowSelection } from "../../training/index.ts";
import { everyRow, takeRows } from "../sample-rows.ts";
import { type CoalitionGame, meanByCoalition } from "./kernel-shap.ts";

/** Rows that stand for "not known": usually a hundred or so of the training set. */
export interface Background {
  readonly dataset: Dataset;
  readonly rows: RowSelection;
}

/**
 * The game of one row and a model of any kind, its features the players: those that belong have the row's values, all others a
 * background row's, and the value is the mean uncalibrated prediction (probabilities, or values) over the background.
 * @param values in the plan's order
 */
export function featureGame(
  model: ModelPackage,
  outputs: number,
  { dataset, rows }: Background,
): (values: readonly FeatureValue[]) => CoalitionGame {
  const uncalibrated = { ...model, calibration: null };
  const background = takeRows(dataset, rows);
  return (values) => {
    const players = background.features.length;
    const known = background.features.map((column, feature) => constantColumn(column, values[feature] ?? null));
    return {
      players,
      outputs,
      value: (coalitions) =>
        meanByCoalition(coalitions, players, background.rows, outputs, (batch, count) => {
          const base = takeRows(background, repeatedRows(background.rows, count));
          const features = base.features.map((column, feature) => {
            const isKnown = (row: number) => batch[Math.floor(row / background.rows) * players + feature] === 1;
            return mixed(column, known[feature], isKnown);
          });
          const rowsOfBatch = { ...base, features };
          return predict(uncalibrated, rowsOfBatch, everyRow(rowsOfBatch)).prediction;
        }),
    };
  };
}

const repeatedRows = (rows: number, times: number): RowSelection =>
  Uint32Array.from({ length: rows * times }, (_, i) => i % rows);

/** What a row holds in a column, with categories that know it. */
type Known = { readonly number: number } | { readonly code: number; readonly categories: readonly string[] };

function constantColumn(column: FeatureColumn, value: FeatureValue): Known {
  if (column.kind === "numeric") return { number: value === null ? Number.NaN : Number(value) };
  const { categories } = column;
  if (value === null) return { code: -1, categories };
  const code = categories.indexOf(String(value));
  return code >= 0 ? { code, categories } : { code: categories.length, categories: [...categories, String(value)] };
}

function mixed(column: FeatureColumn, known: Known, isKnown: (row: number) => boolean): FeatureColumn {
  if (column.kind === "numeric") {
    const number = "number" in known ? known.number : Number.NaN;
    return { ...column, values: column.values.map((own, row) => (isKnown(row) ? number : own)) };
  }
  if ("number" in known) return column;
  return { ...column, categories: known.categories, codes: column.codes.map((own, row) => (isKnown(row) ? known.code : own)) };
}
