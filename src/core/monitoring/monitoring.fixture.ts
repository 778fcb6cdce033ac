import type { FeaturePlan, PlannedFeature } from "../features/index.ts";
import { DAY } from "../time.ts";
import { type Dataset, type FeatureColumn, seededRandom } from "../training/index.ts";
import type { Window } from "./drift.ts";
import { buildReference } from "./reference.ts";

export const FIRST_DAY = 15_706;
export const DAYS = 120;
export const ROWS_A_DAY = 300;

interface Synthetic {
  readonly dataset: Dataset;
  readonly probabilities: Float64Array;
}

const feature = (
  id: string,
  source: string | null,
  seasonal = false,
  type: PlannedFeature["type"] = "float64",
): PlannedFeature => ({
  id,
  type,
  seasonal,
  source,
  origin: { kind: "view", view: id.split(".", 1)[0] ?? id, feature: id },
});

export const plan: FeaturePlan = {
  formatVersion: 1,
  features: [
    feature("weather.temp", "weather", true),
    feature("weather.wind", "weather"),
    feature("weather.humid", "weather"),
    feature("flights.delay", "flights"),
    feature("carrier", null, false, "string"),
  ],
  views: [],
  onDemand: [],
  keys: {},
  request: {},
};

const CARRIERS = ["AA", "B6", "DL", "UA"] as const;

/**
 * Rows of a day share its weather: a day's means wander far more than its rows' independence would allow. Temperature (whole °F) and wind
 * (knots told in mph) stand on lattices as real readings do; humidity and delay are continuous.
 */
export function syntheticDays(days = DAYS, seed = 11, rowsADay = ROWS_A_DAY): Synthetic {
  const random = seededRandom(seed);
  const uniform = () => random.uint32() / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const rows = days * rowsADay;
  const temp = new Float64Array(rows);
  const wind = new Float64Array(rows);
  const humid = new Float64Array(rows);
  const delay = new Float64Array(rows);
  const carrier = new Int32Array(rows);
  for (let day = 0; day < days; day++) {
    const [warm, gusty, damp, busy] = [8 * normal(), 3 * normal(), 10 * normal(), 5 * normal()];
    for (let i = 0; i < rowsADay; i++) {
      const row = day * rowsADay + i;
      temp[row] = Math.round(60 + warm + 6 * normal());
      wind[row] = 1.150779 * Math.max(0, Math.round(9 + gusty + 3 * normal()));
      humid[row] = uniform() < 0.02 ? Number.NaN : 60 + damp + 12 * normal();
      delay[row] = 12 + busy + 25 * normal();
      carrier[row] = Math.min(3, Math.floor(4 * uniform() ** 1.3));
    }
  }
  const probabilities = Float64Array.from(
    { length: rows },
    (_, row) => 1 / (1 + Math.exp(1.4 - 0.03 * delay[row] - 0.05 * (wind[row] - 10))),
  );
  const day = Int32Array.from({ length: rows }, (_, row) => FIRST_DAY + Math.floor(row / rowsADay));
  const at = Float64Array.from(day, (d, row) => d * DAY + ((row % rowsADay) * DAY) / rowsADay);
  return {
    probabilities,
    dataset: {
      rows,
      task: "binary",
      classes: [],
      features: [
        { kind: "numeric", id: "weather.temp", values: temp },
        { kind: "numeric", id: "weather.wind", values: wind },
        { kind: "numeric", id: "weather.humid", values: humid },
        { kind: "numeric", id: "flights.delay", values: delay },
        { kind: "categorical", id: "carrier", codes: carrier, categories: CARRIERS },
      ],
      label: Uint8Array.from(probabilities, (p) => (uniform() < p ? 1 : 0)),
      at,
      labelAt: at.map((t) => t + DAY),
      day,
      rule: new Uint8Array(rows),
      segments: [],
    },
  };
}

export const allRows = (dataset: Dataset) => Uint32Array.from({ length: dataset.rows }, (_, row) => row);

export const referenceOf = ({ dataset, probabilities }: Synthetic) =>
  buildReference(dataset, allRows(dataset), probabilities, plan);

type Change = (values: Float64Array) => Float64Array;

/** Day `index` of a synthetic period as a window, with some numeric columns changed. */
export function windowOf(
  { dataset, probabilities }: Synthetic,
  index: number,
  changes: Readonly<Record<string, Change>> = {},
): Window {
  const first = dataset.day.indexOf(FIRST_DAY + index);
  const last = dataset.day.lastIndexOf(FIRST_DAY + index) + 1;
  const features = dataset.features.map((column): FeatureColumn => {
    if (column.kind === "categorical") return { ...column, codes: column.codes.slice(first, last) };
    const values = column.values.slice(first, last);
    return { ...column, values: changes[column.id]?.(values) ?? values };
  });
  const start = (FIRST_DAY + index) * DAY;
  return { start, end: start + DAY, features, predictions: probabilities.slice(first, last) };
}

export const toCelsius: Change = (values) => values.map((f) => (f - 32) / 1.8);
export const toKilometres: Change = (values) => values.map((miles) => miles * 1.609344);
export const gone: Change = (values) => values.map(() => Number.NaN);
