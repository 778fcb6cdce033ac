import { DAY, parseTimestamp } from "../../../src/core/time.ts";
import { type Dataset, type ModelPackage, seededRandom, type Tree } from "../../../src/core/training/index.ts";
import type {
  CategoryEncoding,
  ColumnFormula,
  FittedPreparation,
  NumberMap,
} from "../../../src/core/training/preparation/fitted-preparation.ts";
import {
  adversarialNumbers,
  datasetFrom,
  normal,
  numbers,
  packageOf,
  type Random,
  randomTexts,
  randomTrees,
  texts,
} from "./random-models.ts";

export interface ExportCase {
  readonly name: string;
  readonly model: ModelPackage;
  readonly dataset: Dataset;
}

/**
 * Every kind of estimator, link, calibration and preparation, and the million rows of the claim that no row changes sides.
 * @param share of the rows, for a quick look
 */
export const exportCases = (share = 1): ExportCase[] => [
  treesOnMillionRows(1_000_000 * share),
  categoricalTrees(100_000 * share),
  linearOnEveryMap(50_000 * share),
  everyMapByItself(20_000 * share),
  multinomial(20_000 * share),
  expectedCounts(20_000 * share),
  baseline(),
  ensemble(20_000 * share),
  ...calibrations(20_000 * share),
];

const randomOf = (seed: number): Random => {
  const stream = seededRandom(seed);
  return () => stream.uint32() / 2 ** 32;
};

const plainColumns = (features: readonly number[]): FittedPreparation["columns"] =>
  features.map((feature) => ({ name: `f${feature}`, categories: 0, source: { kind: "number", feature }, maps: [] }));

const numericFeatures = (random: Random, rows: number, columns: number, trees: readonly Tree[]) =>
  Array.from({ length: columns }, (_, column) => numbers(`view.n${column}`, adversarialNumbers(random, rows, column, trees)));

const isotonic = {
  kind: "isotonic" as const,
  x: Float64Array.of(0, 0.1, 0.25, 0.4, 0.41, 0.9, 1),
  y: Float64Array.of(0, 0.05, 0.3, 0.35, 0.5, 0.85, 1),
};

function treesOnMillionRows(rows: number): ExportCase {
  const random = randomOf(1);
  const shape = { trees: 40, outputs: 1, leaves: 31, categories: [0, 0, 0, 0, 0], scale: 0.1, link: "logit" } as const;
  const estimator = randomTrees(random, shape);
  const dataset = datasetFrom(numericFeatures(random, rows, 5, estimator.trees), rows);
  const preparation = { columns: plainColumns([0, 1, 2, 3, 4]), encodings: [] };
  const model = packageOf(dataset, { task: "binary", preparation, estimator, calibration: isotonic });
  return { name: "boosted trees on a million rows at and beside their thresholds", model, dataset };
}

const codesOf = (count: number): CategoryEncoding => ({
  categories: Array.from({ length: count }, (_, code) => `c${code}`),
  values: Array.from({ length: count }, (_, code) => code),
  unseen: null,
  missing: null,
});

function categoricalTrees(rows: number): ExportCase {
  const random = randomOf(2);
  const categories = [0, 0, 12, 150];
  const estimator = randomTrees(random, { trees: 45, outputs: 3, leaves: 20, categories, scale: 0.3, link: "softmax" });
  const features = [
    ...numericFeatures(random, rows, 2, estimator.trees),
    texts("view.few", randomTexts(random, rows, 12)),
    texts("view.many", randomTexts(random, rows, 150)),
  ];
  const preparation: FittedPreparation = {
    columns: [
      ...plainColumns([0, 1]),
      { name: "few", categories: 12, source: { kind: "encoded", feature: 2, encoding: 0 }, maps: [] },
      { name: "many", categories: 150, source: { kind: "encoded", feature: 3, encoding: 1 }, maps: [] },
    ],
    encodings: [codesOf(12), codesOf(150)],
  };
  const dataset = datasetFrom(features, rows);
  const model = packageOf(dataset, { task: "multiclass", classes: ["0", "1", "2"], preparation, estimator });
  return { name: "multiclass trees with sets of categories", model, dataset };
}

const landmarks = [-2, -1.5, -1, -1, -1, -0.2, 0, 0.3, 0.3, 1, 2.5];

const MAPS: readonly (readonly NumberMap[])[] = [
  [{ kind: "scale", center: 0.3, scale: 1.7 }],
  [{ kind: "scale", center: -1e308, scale: 1e-3 }],
  [{ kind: "fill", value: -1.25 }],
  [{ kind: "is-missing" }],
  [{ kind: "clip", low: -0.5, high: 0.75 }],
  [{ kind: "clip", low: null, high: 0.1 }],
  [{ kind: "log", signed: true }],
  [{ kind: "log", signed: false }],
  [{ kind: "power", method: "yeo-johnson", lambda: 0.4 }],
  [{ kind: "power", method: "yeo-johnson", lambda: 0 }],
  [{ kind: "power", method: "yeo-johnson", lambda: 2 }],
  [{ kind: "power", method: "box-cox", lambda: -0.3 }],
  [{ kind: "power", method: "box-cox", lambda: 0 }],
  [{ kind: "quantile", landmarks, output: "uniform" }],
  [{ kind: "quantile", landmarks, output: "normal" }],
  [
    { kind: "fill", value: 0.1 },
    { kind: "clip", low: -3, high: 3 },
    { kind: "scale", center: 0.5, scale: 2 },
  ],
];

const DATE_MAPS: readonly (readonly NumberMap[])[] = [
  ...(["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "weekend"] as const).map((part): NumberMap[] => [
    { kind: "date-part", part },
  ]),
  [
    { kind: "date-part", part: "month" },
    { kind: "wave", wave: "sine", period: 12 },
  ],
  [
    { kind: "date-part", part: "hour" },
    { kind: "wave", wave: "cosine", period: 24 },
  ],
];

const targetEncoding: CategoryEncoding = {
  categories: ["c0", "c1", "c2", "c3", ""],
  values: [0.25, 0.5, 0.125, 0.25, 0.9],
  unseen: 0.31,
  missing: 0.2,
};

/** Feature 0 is a number, 1 a timestamp, 2 a text. */
const formulas: readonly ColumnFormula[] = [
  ...MAPS.map((maps): ColumnFormula => ({ source: { kind: "number", feature: 0 }, maps })),
  ...DATE_MAPS.map((maps): ColumnFormula => ({ source: { kind: "number", feature: 1 }, maps })),
  { source: { kind: "encoded", feature: 2, encoding: 0 }, maps: [] },
  { source: { kind: "encoded", feature: 2, encoding: 0 }, maps: [{ kind: "scale", center: 0.2, scale: 0.1 }] },
  { source: { kind: "indicator", feature: 2, encoding: 0, value: 0.25 }, maps: [] },
  {
    source: {
      kind: "product",
      of: [
        { source: { kind: "number", feature: 0 }, maps: [{ kind: "fill", value: 0.5 }] },
        { source: { kind: "encoded", feature: 2, encoding: 0 }, maps: [] },
      ],
    },
    maps: [{ kind: "scale", center: 0, scale: 3 }],
  },
];

const columnsOf = (all: readonly ColumnFormula[]): FittedPreparation["columns"] =>
  all.map((formula, index) => ({ ...formula, name: `column ${index}`, categories: 0 }));

function mixedDataset(random: Random, rows: number): Dataset {
  const from = parseTimestamp("1890-01-01T00:00:00Z");
  const moments = Float64Array.from({ length: rows }, () =>
    random() < 0.1 ? Number.NaN : Math.floor(from + random() * 90_000 * DAY),
  );
  const plain = adversarialNumbers(random, rows, 0, []);
  const near = plain.map((value) => (random() < 0.3 ? landmarks[Math.floor(random() * landmarks.length)] : value));
  const words = randomTexts(random, rows, 4).map((text) => (random() < 0.05 ? "" : text));
  return datasetFrom([numbers("view.x", near), numbers("view.at", moments), texts("view.word", words)], rows);
}

/** One output a column: the preparation's figures are seen as they are. */
function everyMapByItself(rows: number): ExportCase {
  const dataset = mixedDataset(randomOf(4), rows);
  // NaN times 0 would hide a column, and so every column is asked for alone, missing values filled.
  const columns = columnsOf(formulas.map((formula) => ({ ...formula, maps: [...formula.maps, { kind: "fill", value: -99 }] })));
  const estimator = {
    kind: "linear" as const,
    link: "identity" as const,
    intercepts: new Float64Array(columns.length),
    coefficients: Float64Array.from({ length: columns.length ** 2 }, (_, i) => (i % (columns.length + 1) === 0 ? 1 : 0)),
  };
  const preparation = { columns, encodings: [targetEncoding] };
  return {
    name: "every way to prepare a column",
    model: packageOf(dataset, { task: "regression", preparation, estimator }),
    dataset,
  };
}

function linear(random: Random, columns: number, outputs: number, scale: number) {
  return {
    kind: "linear" as const,
    intercepts: Float64Array.from({ length: outputs }, () => normal(random)),
    coefficients: Float64Array.from({ length: columns * outputs }, () => scale * normal(random)),
  };
}

/** As a linear candidate is prepared: nothing missing, nothing huge. */
const tamed: FittedPreparation = {
  columns: columnsOf(
    formulas.map((formula) => ({
      ...formula,
      maps: [...formula.maps, { kind: "fill", value: 0 }, { kind: "clip", low: -4, high: 4 }],
    })),
  ),
  encodings: [targetEncoding],
};

function linearOnEveryMap(rows: number): ExportCase {
  const random = randomOf(5);
  const dataset = mixedDataset(random, rows);
  const estimator = { ...linear(random, tamed.columns.length, 1, 0.4), link: "logit" as const };
  const model = packageOf(dataset, { task: "binary", preparation: tamed, estimator, calibration: isotonic });
  return { name: "logistic regression on every way to prepare a column", model, dataset };
}

function multinomial(rows: number): ExportCase {
  const random = randomOf(6);
  const dataset = mixedDataset(random, rows);
  const estimator = { ...linear(random, tamed.columns.length, 4, 0.4), link: "softmax" as const };
  const classes = ["0", "1", "2", "3"];
  return {
    name: "multinomial regression",
    model: packageOf(dataset, { task: "multiclass", classes, preparation: tamed, estimator }),
    dataset,
  };
}

function expectedCounts(rows: number): ExportCase {
  const random = randomOf(7);
  const dataset = mixedDataset(random, rows);
  const estimator = { ...linear(random, tamed.columns.length, 1, 0.1), link: "log" as const };
  return {
    name: "Poisson regression",
    model: packageOf(dataset, { task: "regression", preparation: tamed, estimator }),
    dataset,
  };
}

function baseline(): ExportCase {
  const dataset = mixedDataset(randomOf(8), 1_000);
  const estimator = { kind: "baseline" as const, link: "softmax" as const, output: Float64Array.of(0.1, -0.4, 1) };
  const preparation = { columns: [], encodings: [] };
  return {
    name: "baseline",
    model: packageOf(dataset, { task: "multiclass", classes: ["0", "1", "2"], preparation, estimator }),
    dataset,
  };
}

function ensemble(rows: number): ExportCase {
  const random = randomOf(9);
  const dataset = mixedDataset(random, rows);
  const shape = { trees: 30, outputs: 1, leaves: 15, categories: [0, 0], scale: 0.2, link: "logit" } as const;
  const estimator = {
    kind: "ensemble" as const,
    link: "identity" as const,
    members: [
      {
        name: "linear",
        weight: 0.5,
        preparation: tamed,
        estimator: { ...linear(random, tamed.columns.length, 1, 0.4), link: "logit" as const },
      },
      {
        name: "trees",
        weight: 0.3,
        preparation: { columns: plainColumns([0, 1]), encodings: [] },
        estimator: randomTrees(random, shape),
      },
      {
        name: "baseline",
        weight: 0.2,
        preparation: { columns: [], encodings: [] },
        estimator: { kind: "baseline" as const, link: "identity" as const, output: Float64Array.of(0.3) },
      },
    ],
  };
  const preparation = { columns: [], encodings: [] };
  return { name: "ensemble", model: packageOf(dataset, { task: "binary", preparation, estimator }), dataset };
}

/** Every calibration, after trees of one output or of several. */
function calibrations(rows: number): ExportCase[] {
  const sigmoid = { kind: "sigmoid" as const, slope: 0.7, intercept: -0.2 };
  const all: readonly [outputs: number, calibration: NonNullable<ModelPackage["calibration"]>][] = [
    [1, isotonic],
    [1, sigmoid],
    [3, { kind: "temperature", classes: 3, temperature: 1.6 }],
    [3, { kind: "one-vs-rest", classes: [isotonic, sigmoid, null] }],
  ];
  return all.map(([outputs, calibration], index) => {
    const random = randomOf(20 + index);
    const shape = {
      trees: 30,
      leaves: 15,
      categories: [0, 0],
      scale: 0.4,
      outputs,
      link: outputs === 1 ? "logit" : "softmax",
    } as const;
    const estimator = randomTrees(random, shape);
    const dataset = datasetFrom(numericFeatures(random, rows, 2, estimator.trees), rows);
    const classes = outputs === 1 ? [] : ["0", "1", "2"];
    const preparation = { columns: plainColumns([0, 1]), encodings: [] };
    const task = outputs === 1 ? "binary" : "multiclass";
    return {
      name: `calibration ${calibration.kind}`,
      model: packageOf(dataset, { task, classes, preparation, estimator, calibration }),
      dataset,
    };
  });
}
