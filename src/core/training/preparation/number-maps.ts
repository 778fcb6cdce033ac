import type { DatePart } from "../../definitions/index.ts";
import { DAY, HOUR, MINUTE } from "../../time.ts";
import type { NumberMap } from "./fitted-preparation.ts";
import { normalQuantile } from "./normal-quantile.ts";

export type NumberFunction = (x: number) => number;

/** The function that a map describes. */
export function compileMap(map: NumberMap): NumberFunction {
  switch (map.kind) {
    case "fill": {
      const { value } = map;
      return (x) => (Number.isNaN(x) ? value : x);
    }
    case "is-missing":
      return (x) => (Number.isNaN(x) ? 1 : 0);
    case "scale": {
      const { center, scale } = map;
      return (x) => bounded((x - center) / scale);
    }
    case "clip": {
      const low = map.low ?? Number.NEGATIVE_INFINITY;
      const high = map.high ?? Number.POSITIVE_INFINITY;
      return (x) => (x < low ? low : x > high ? high : x);
    }
    case "log":
      return map.signed ? (x) => Math.sign(x) * Math.log1p(Math.abs(x)) : (x) => (x > -1 ? Math.log1p(x) : Number.NaN);
    case "power": {
      const { log, power } = POWER_FAMILIES[map.method];
      const ofLog = power(map.lambda);
      return (x) => ofLog(log(x));
    }
    case "quantile":
      return quantilePlace(Float64Array.from(map.landmarks), map.output);
    case "date-part":
      return DATE_PARTS[map.part];
    case "wave": {
      const perStep = (2 * Math.PI) / map.period;
      return map.wave === "sine" ? (x) => Math.sin(perStep * x) : (x) => Math.cos(perStep * x);
    }
  }
}

/** What is too large for a number becomes the largest one. */
export function bounded(x: number): number {
  if (x > Number.MAX_VALUE) return Number.MAX_VALUE;
  return x < -Number.MAX_VALUE ? -Number.MAX_VALUE : x;
}

export interface PowerFamily {
  /** The logarithm that its powers are computed from. */
  readonly log: NumberFunction;
  /** From that logarithm to the transformed number. */
  readonly power: (lambda: number) => NumberFunction;
}

export const POWER_FAMILIES: Readonly<Record<"yeo-johnson" | "box-cox", PowerFamily>> = {
  /** Yeo and Johnson, "A new family of power transformations to improve normality or symmetry", Biometrika 87 (2000). */
  "yeo-johnson": {
    log: (x) => (x >= 0 ? Math.log1p(x) : -Math.log1p(-x)),
    power: (lambda) => {
      const positive = powerOrLog(lambda);
      const negative = powerOrLog(2 - lambda);
      return (log) => bounded(log >= 0 ? positive(log) : -negative(-log));
    },
  },
  /** Box and Cox, "An analysis of transformations", Journal of the Royal Statistical Society B 26 (1964). */
  "box-cox": {
    log: (x) => (x > 0 ? Math.log(x) : Number.NaN),
    power: (lambda) => {
      const positive = powerOrLog(lambda);
      return (log) => bounded(positive(log));
    },
  },
};

/** (y^power - 1) / power of y's logarithm; its limit, the logarithm itself, at power 0. */
const powerOrLog = (power: number): NumberFunction =>
  Math.abs(power) < Number.EPSILON ? (log) => log : (log) => Math.expm1(power * log) / power;

/** Values this near the ends of the landmarks count as the ends, and so far the normal output reaches. */
const END = 1e-7;

/**
 * Place of a number among `landmarks` (ascending, equally far apart in rank), by linear interpolation. Where several landmarks are
 * equal, the middle of their places: the mean of interpolating upwards and downwards.
 */
function quantilePlace(landmarks: Float64Array, output: "uniform" | "normal"): NumberFunction {
  const last = landmarks.length - 1;
  const lowest = landmarks[0];
  const highest = landmarks[last];
  const place = (x: number): number => {
    if (x <= lowest) return 0;
    if (x >= highest) return 1;
    const above = firstAbove(landmarks, x);
    const before = above - 1;
    if (landmarks[before] === x) return (firstAtLeast(landmarks, x) + before) / (2 * last);
    return (before + (x - landmarks[before]) / (landmarks[above] - landmarks[before])) / last;
  };
  if (output === "uniform") return (x) => (Number.isNaN(x) ? x : place(x));
  const farthest = normalQuantile(END - Number.EPSILON);
  return (x) => {
    if (Number.isNaN(x)) return x;
    if (x - END < lowest) return farthest;
    if (x + END > highest) return -farthest;
    return Math.max(farthest, Math.min(-farthest, normalQuantile(place(x))));
  };
}

function firstAbove(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstAtLeast(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] >= x) high = middle;
    else low = middle + 1;
  }
  return low;
}

const DATE_PARTS: Readonly<Record<DatePart, NumberFunction>> = {
  year: (at) => civilDate(at).year,
  month: (at) => civilDate(at).month,
  day: (at) => civilDate(at).day,
  dayOfWeek: (at) => dayOfWeek(at),
  dayOfYear: (at) => {
    const { year } = civilDate(at);
    return Math.floor(at / DAY) - daysBeforeYear(year) + 1;
  },
  hour: (at) => Math.floor(remainder(at, DAY) / HOUR),
  minute: (at) => Math.floor(remainder(at, HOUR) / MINUTE),
  weekend: (at) => {
    const day = dayOfWeek(at);
    return Number.isNaN(day) ? day : day >= 5 ? 1 : 0;
  },
};

const remainder = (value: number, size: number): number => value - Math.floor(value / size) * size;

/** Monday is 0; 1 January 1970 was a Thursday. */
const dayOfWeek = (at: number): number => remainder(Math.floor(at / DAY) + 3, 7);

/**
 * Date of a moment in the Gregorian calendar. Years are counted from March, so that the leap day is a year's last; 400 years have
 * 146,097 days, and day 0 of the count is 1 March of the year 0 (Hinnant, "chrono-compatible low-level date algorithms", 2013).
 */
function civilDate(at: number): { readonly year: number; readonly month: number; readonly day: number } {
  const days = Math.floor(at / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Days from 1970 to the first of January of a year. */
function daysBeforeYear(year: number): number {
  const before = year - 1;
  return 365 * before + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
}
