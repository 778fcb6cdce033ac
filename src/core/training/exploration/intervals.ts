import { studentQuantile } from "../metrics/distributions.ts";

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** 0.975 quantile of the standard normal distribution: what 95% lies within, on either side. */
const Z = 1.959963984540054;

/** A share and its 95% interval: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). */
export function shareEstimate(hits: number, rows: number): Estimate {
  const value = hits / rows;
  const square = Z * Z;
  const middle = (hits + square / 2) / (rows + square);
  const half = (Z / (rows + square)) * Math.sqrt((hits * (rows - hits)) / rows + square / 4);
  return { value, low: hits === 0 ? 0 : middle - half, high: hits === rows ? 1 : middle + half };
}

/** A mean and its 95% interval by Student's distribution; as wide as nothing for a single value. */
export function meanEstimate(values: readonly number[]): Estimate {
  const rows = values.length;
  const mean = values.reduce((sum, value) => sum + value / rows, 0);
  if (rows === 1) return { value: mean, low: mean, high: mean };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows - 1);
  const half = studentQuantile(0.05, rows - 1) * Math.sqrt(variance / rows);
  return { value: mean, low: mean - half, high: mean + half };
}
