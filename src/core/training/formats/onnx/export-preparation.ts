import type { DatePart } from "../../../definitions/index.ts";
import { DAY, HOUR, MINUTE } from "../../../time.ts";
import type { CategoryEncoding, ColumnFormula, FittedPreparation, NumberMap } from "../../preparation/fitted-preparation.ts";
import { normalQuantile } from "../../preparation/normal-quantile.ts";
import { exportNormalQuantile } from "./export-normal-quantile.ts";
import { exportRank } from "./export-trees.ts";
import { type GraphBuilder, ML_DOMAIN, type Value } from "./graph-builder.ts";

/** Doubles, or texts, [N, 1] of each feature of the plan. */
export interface FeatureInputs {
  readonly values: readonly Value[];
  /** What stands for a missing text. */
  readonly missingTexts: readonly string[];
}

/**
 * The estimator's matrix of a preparation, column by column: the figures of `encode`, to a few units in the last place where the
 * runtime's logarithm or sine differs.
 *
 * @returns doubles [N, columns], or null when the preparation has no columns
 */
export function exportPreparation(
  graph: GraphBuilder,
  { columns, encodings }: FittedPreparation,
  inputs: FeatureInputs,
): Value | null {
  if (columns.length === 0) return null;
  const exporter = new ColumnExporter(graph, encodings, inputs);
  return graph.beside(columns.map((column) => exporter.column(column)));
}

class ColumnExporter {
  readonly #graph: GraphBuilder;
  readonly #encodings: readonly CategoryEncoding[];
  readonly #inputs: FeatureInputs;
  /** Values by what they were made of: many columns read one encoding, and products share factors. */
  readonly #made = new Map<string, Value>();

  constructor(graph: GraphBuilder, encodings: readonly CategoryEncoding[], inputs: FeatureInputs) {
    this.#graph = graph;
    this.#encodings = encodings;
    this.#inputs = inputs;
  }

  column({ source, maps }: ColumnFormula): Value {
    return this.#once(JSON.stringify({ source, maps }), () =>
      maps.reduce((value, map) => exportMap(this.#graph, map, value), this.#source(source)),
    );
  }

  #source(source: ColumnFormula["source"]): Value {
    const graph = this.#graph;
    switch (source.kind) {
      case "number":
        return this.#number(source.feature);
      case "encoded":
        return this.#encoded(source.feature, source.encoding);
      case "indicator": {
        const encoded = this.#encoded(source.feature, source.encoding);
        return graph.indicator(graph.add("Equal", [encoded, graph.number(source.value)]));
      }
      case "product": {
        const [a, b] = source.of.map((factor) => this.column(factor));
        return graph.bounded(graph.times(a, b));
      }
    }
  }

  /** Infinite numbers count as missing. */
  #number(feature: number): Value {
    const graph = this.#graph;
    return this.#once(`number ${feature}`, () => {
      const input = this.#inputs.values[feature];
      return graph.where(graph.add("IsInf", [input]), graph.number(Number.NaN), input);
    });
  }

  #encoded(feature: number, encoding: number): Value {
    return this.#once(`encoded ${encoding} of ${feature}`, () => {
      const { categories, values, unseen, missing } = this.#encodings[encoding];
      const { missingTexts } = this.#inputs;
      const keys = [...categories, ...missingTexts];
      const numbers = [...values, ...missingTexts.map(() => missing ?? Number.NaN)];
      return this.#graph.add(
        "LabelEncoder",
        [this.#inputs.values[feature]],
        {
          keys_tensor: { type: "tensor", value: { type: "string", dims: [keys.length], data: keys } },
          values_tensor: { type: "tensor", value: { type: "double", dims: [numbers.length], data: Float64Array.from(numbers) } },
          default_tensor: { type: "tensor", value: { type: "double", dims: [1], data: Float64Array.of(unseen ?? Number.NaN) } },
        },
        ML_DOMAIN,
      );
    });
  }

  #once(key: string, make: () => Value): Value {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }
}

function exportMap(graph: GraphBuilder, map: NumberMap, x: Value): Value {
  switch (map.kind) {
    case "fill":
      return graph.where(graph.add("IsNaN", [x]), graph.number(map.value), x);
    case "is-missing":
      return graph.indicator(graph.add("IsNaN", [x]));
    case "scale":
      return exportScale(graph, x, map.center, map.scale);
    case "clip":
      return exportClip(graph, x, map.low, map.high);
    case "log":
      return map.signed ? exportSignedLog(graph, x) : exportLog(graph, x);
    case "power":
      return map.method === "yeo-johnson" ? exportYeoJohnson(graph, x, map.lambda) : exportBoxCox(graph, x, map.lambda);
    case "quantile":
      return exportQuantile(graph, x, map.landmarks, map.output);
    case "date-part":
      return exportDatePart(graph, x, map.part);
    case "wave": {
      const angle = graph.times(graph.number((2 * Math.PI) / map.period), x);
      return graph.add(map.wave === "sine" ? "Sin" : "Cos", [angle]);
    }
  }
}

function exportScale(graph: GraphBuilder, x: Value, center: number, scale: number): Value {
  if (center === 0 && scale === 1) return x;
  return graph.bounded(graph.over(graph.minus(x, graph.number(center)), graph.number(scale)));
}

/** Max and Min keep NaN. */
function exportClip(graph: GraphBuilder, x: Value, low: number | null, high: number | null): Value {
  const above = low === null ? x : graph.add("Max", [x, graph.number(low)]);
  return high === null ? above : graph.add("Min", [above, graph.number(high)]);
}

const exportSignedLog = (graph: GraphBuilder, x: Value): Value =>
  graph.times(graph.add("Sign", [x]), graph.log1p(graph.add("Abs", [x])));

const exportLog = (graph: GraphBuilder, x: Value): Value =>
  graph.where(graph.less(graph.number(-1), x), graph.log1p(x), graph.number(Number.NaN));

function exportYeoJohnson(graph: GraphBuilder, x: Value, lambda: number): Value {
  const size = graph.log1p(graph.add("Abs", [x]));
  const positive = powerOrLog(graph, size, lambda);
  const negative = graph.add("Neg", [powerOrLog(graph, size, 2 - lambda)]);
  return graph.bounded(graph.where(graph.less(x, graph.number(0)), negative, positive));
}

function exportBoxCox(graph: GraphBuilder, x: Value, lambda: number): Value {
  const value = graph.bounded(powerOrLog(graph, graph.add("Log", [x]), lambda));
  return graph.where(graph.less(graph.number(0), x), value, graph.number(Number.NaN));
}

/** (y^power - 1) / power of y's logarithm; its limit, the logarithm itself, at power 0. */
function powerOrLog(graph: GraphBuilder, log: Value, power: number): Value {
  if (Math.abs(power) < Number.EPSILON) return log;
  return graph.over(graph.expm1(graph.times(graph.number(power), log)), graph.number(power));
}

/** How near to the outermost landmarks a number counts as one of them, as in number-maps.ts. */
const END = 1e-7;

function exportQuantile(graph: GraphBuilder, x: Value, landmarks: readonly number[], output: "uniform" | "normal"): Value {
  const place = exportPlace(graph, x, landmarks);
  if (output === "uniform") return graph.where(graph.add("IsNaN", [x]), x, place);
  const farthest = normalQuantile(END - Number.EPSILON);
  const [lowest, highest] = [landmarks[0], landmarks[landmarks.length - 1]];
  const within = exportClip(graph, exportNormalQuantile(graph, place), farthest, -farthest);
  const belowAll = graph.less(graph.minus(x, graph.number(END)), graph.number(lowest));
  const aboveAll = graph.less(graph.number(highest), graph.plus(x, graph.number(END)));
  const value = graph.where(belowAll, graph.number(farthest), graph.where(aboveAll, graph.number(-farthest), within));
  return graph.where(graph.add("IsNaN", [x]), x, value);
}

/** Place among the landmarks, 0 … 1; of no meaning for NaN. */
function exportPlace(graph: GraphBuilder, x: Value, landmarks: readonly number[]): Value {
  const last = landmarks.length - 1;
  const points = graph.matrix(landmarks, landmarks.length, 1);
  const one = graph.number(1);
  const above = exportRank(graph, x, landmarks);
  const before = graph.minus(above, one);
  const at = (rank: Value) => exportLookup(graph, points, exportClip(graph, rank, 0, last));
  const start = at(before);
  const slope = graph.over(graph.minus(x, start), graph.minus(at(above), start));
  const between = graph.over(graph.plus(before, slope), graph.number(last));
  const firstEqual = exportRank(graph, x, landmarks, true);
  const middle = graph.over(graph.plus(firstEqual, before), graph.number(2 * last));
  const inner = graph.where(graph.add("Equal", [start, x]), middle, between);
  const fromBelow = graph.where(graph.add("LessOrEqual", [x, graph.number(landmarks[0])]), graph.number(0), inner);
  return graph.where(graph.add("LessOrEqual", [graph.number(landmarks[last]), x]), one, fromBelow);
}

/**
 * @param table doubles [n, 1]
 * @param index whole numbers as doubles [N, 1]
 * @returns doubles [N, 1]
 */
export function exportLookup(graph: GraphBuilder, table: Value, index: Value): Value {
  const flat = graph.add("Squeeze", [graph.toInteger(index), graph.integers([1])]);
  return graph.add("Gather", [table, flat]);
}

/** The formulas of number-maps.ts, node by node. */
function exportDatePart(graph: GraphBuilder, at: Value, part: DatePart): Value {
  const constant = (value: number) => graph.number(value);
  const quotient = (value: Value, size: number) => graph.add("Floor", [graph.over(value, constant(size))]);
  const remainder = (value: Value, size: number) => graph.minus(value, graph.times(quotient(value, size), constant(size)));
  const dayOfWeek = () => remainder(graph.plus(quotient(at, DAY), constant(3)), 7);
  const date = () => exportCivilDate(graph, at, quotient);
  switch (part) {
    case "year":
    case "month":
    case "day":
      return date()[part];
    case "dayOfWeek":
      return dayOfWeek();
    case "dayOfYear": {
      const before = graph.minus(date().year, constant(1));
      const leapDays = graph.plus(graph.minus(quotient(before, 4), quotient(before, 100)), quotient(before, 400));
      const daysBefore = graph.minus(graph.plus(graph.times(constant(365), before), leapDays), constant(719_162));
      return graph.plus(graph.minus(quotient(at, DAY), daysBefore), constant(1));
    }
    case "hour":
      return quotient(remainder(at, DAY), HOUR);
    case "minute":
      return quotient(remainder(at, HOUR), MINUTE);
    case "weekend": {
      const day = dayOfWeek();
      const isWeekend = graph.indicator(graph.less(constant(4), day));
      return graph.where(graph.add("IsNaN", [day]), day, isWeekend);
    }
  }
}

function exportCivilDate(
  graph: GraphBuilder,
  at: Value,
  quotient: (value: Value, size: number) => Value,
): Readonly<Record<"year" | "month" | "day", Value>> {
  const constant = (value: number) => graph.number(value);
  const times = (value: Value, factor: number) => graph.times(value, constant(factor));
  const days = graph.plus(quotient(at, DAY), constant(719_468));
  const era = quotient(days, 146_097);
  const dayOfEra = graph.minus(days, times(era, 146_097));
  const leapDays = graph.minus(
    graph.plus(graph.minus(dayOfEra, quotient(dayOfEra, 1_460)), quotient(dayOfEra, 36_524)),
    quotient(dayOfEra, 146_096),
  );
  const yearOfEra = quotient(leapDays, 365);
  const daysOfYears = graph.minus(graph.plus(times(yearOfEra, 365), quotient(yearOfEra, 4)), quotient(yearOfEra, 100));
  const dayOfYear = graph.minus(dayOfEra, daysOfYears);
  const monthFromMarch = quotient(graph.plus(times(dayOfYear, 5), constant(2)), 153);
  const daysOfMonths = quotient(graph.plus(times(monthFromMarch, 153), constant(2)), 5);
  const day = graph.plus(graph.minus(dayOfYear, daysOfMonths), constant(1));
  const afterYear = graph.less(monthFromMarch, constant(10));
  const month = graph.where(afterYear, graph.plus(monthFromMarch, constant(3)), graph.minus(monthFromMarch, constant(9)));
  const nextYear = graph.indicator(graph.less(month, constant(2.5)));
  return { year: graph.plus(graph.plus(yearOfEra, times(era, 400)), nextYear), month, day };
}
