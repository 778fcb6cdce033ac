import { type CandidateDefinition, gradientBoosting, impute, oneHot, standardScale } from "../definitions/index.ts";
import type { FeaturePlan, PlannedFeature } from "../features/index.ts";
import { DAY } from "../time.ts";
import { type Dataset, type DatasetSplit, seededRandom, type TrainingOptions, trainCandidate } from "../training/index.ts";

const feature = (view: string, name: string, type: PlannedFeature["type"], source: string): PlannedFeature => ({
  id: `${view}.${name}`,
  type,
  seasonal: false,
  origin: { kind: "view", view, feature: name },
  source,
});

/** weather.wind decides most, weather.rain some, shop.kind some; shop.noise nothing. */
export const plan: FeaturePlan = {
  formatVersion: 1,
  features: [
    feature("weather", "wind", "float64", "weather"),
    feature("weather", "rain", "float64", "weather"),
    feature("shop", "kind", "string", "shops"),
    feature("noise", "noise", "float64", "shops"),
  ],
  views: [],
  onDemand: [],
  keys: {},
  request: {},
};

const KINDS = ["a", "b", "c"] as const;

/** 60 days of equally many rows; the label's log-odds are 2 wind + rain + kind - 1. Every 20th rain is missing. */
export function syntheticDataset(rows: number, seed = 3): Dataset {
  const random = seededRandom(seed);
  const uniform = () => random.uint32() / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const wind = new Float64Array(rows);
  const rain = new Float64Array(rows);
  const noise = new Float64Array(rows);
  const kind = new Int32Array(rows);
  const label = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    wind[row] = normal();
    const wet = normal();
    rain[row] = row % 20 === 0 ? Number.NaN : wet;
    noise[row] = normal();
    kind[row] = row % 3;
    const logOdds = 2 * wind[row] + wet + (kind[row] - 1) - 1;
    label[row] = uniform() < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
  }
  const day = Int32Array.from({ length: rows }, (_, row) => 15_000 + Math.floor((60 * row) / rows));
  const at = Float64Array.from(day, (d, row) => d * DAY + row);
  return {
    rows,
    task: "binary",
    classes: [],
    features: [
      { kind: "numeric", id: "weather.wind", values: wind },
      { kind: "numeric", id: "weather.rain", values: rain },
      { kind: "categorical", id: "shop.kind", codes: kind, categories: KINDS },
      { kind: "numeric", id: "noise.noise", values: noise },
    ],
    label,
    at,
    labelAt: at.map((t) => t + DAY),
    day,
    rule: Uint8Array.from(wind, (w) => (w > 1 ? 1 : 0)),
    segments: [{ kind: "categorical", id: "kind", codes: kind, categories: KINDS }],
  };
}

/** Days in order: 60% train, then select and calibrate, then test. */
export function syntheticSplit({ rows, labelAt }: Dataset): DatasetSplit {
  const range = (from: number, to: number) => {
    const [first, last] = [Math.floor(from * rows), Math.floor(to * rows)];
    return Uint32Array.from({ length: last - first }, (_, i) => first + i);
  };
  return {
    train: range(0, 0.6),
    select: range(0.6, 0.75),
    calibrate: range(0.75, 0.85),
    test: range(0.85, 1),
    labelCutoff: labelAt[Math.floor(0.85 * rows) - 1],
    purged: 0,
  };
}

export const boosting: CandidateDefinition = gradientBoosting({ trees: 30, leaves: 15, rate: 0.2, earlyStopping: 10 });

export const trainingOptions = (candidate: CandidateDefinition = boosting): TrainingOptions => ({
  candidate,
  prepare: [impute(), standardScale(), oneHot()],
  plan,
  decision: { threshold: 0.4, payoff: { truePositive: 60, falsePositive: -40, falseNegative: -20 } },
  rule: "weather.wind > 1",
  select: "roc_auc",
  model: "storm",
  seed: 1,
  trainedAt: 15_100 * DAY,
  snapshots: { weather: "snap-1", shops: "snap-2" },
});

export const trainOn = (dataset: Dataset, candidate: CandidateDefinition = boosting) =>
  trainCandidate(dataset, syntheticSplit(dataset), trainingOptions(candidate));
