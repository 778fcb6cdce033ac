import { trainErrors } from "../errors.ts";
import { checkProbabilities } from "./probability-metrics.ts";
import { type RankedRows, rankRows } from "./rank-rows.ts";

/** equal-width: by predicted probability, low <= p < high, the last bin closed; equal-mass: by rank, rows of one probability together. */
export type Binning = "equal-width" | "equal-mass";

export interface CalibrationBin {
  /** Equal-width: the bin's bounds. Equal-mass: its least and greatest probability. */
  readonly low: number;
  readonly high: number;
  /** Rows by their weights. */
  readonly weight: number;
  readonly meanProbability: number;
  readonly shareOfPositives: number;
}

export interface CalibrationOptions {
  readonly binning?: Binning;
  /** 10 unless said. */
  readonly bins?: number;
  readonly weights?: Float64Array;
}

export interface CalibrationError {
  /** Expected: mean over the bins of |mean probability - share of positives|, by weight (Naeini, Cooper, Hauskrecht 2015). */
  readonly ece: number;
  /** The greatest of these differences. */
  readonly mce: number;
  /** Bins that have rows, ascending. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * How far predicted probabilities are from observed shares. `undefined` for no rows.
 * @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID
 */
export function calibrationError(
  labels: Uint8Array,
  probabilities: Float64Array,
  { binning = "equal-width", bins = 10, weights }: CalibrationOptions = {},
): CalibrationError | undefined {
  checkBins(bins);
  checkProbabilities(probabilities);
  const ranked = rankRows(labels, probabilities, weights);
  const binOfPlace = binning === "equal-width" ? equalWidthBins(ranked, bins) : equalMassBins(ranked, bins);
  return errorOf(collectBins(ranked, binOfPlace, binning, bins));
}

export const equalWidthBin = (probability: number, bins: number): number => Math.min(bins - 1, Math.floor(probability * bins));

function checkBins(bins: number): void {
  if (Number.isInteger(bins) && bins >= 1 && bins <= 1_000_000) return;
  throw trainErrors.TRAIN_PARAMETER_INVALID(`${bins} bins`, { hint: "Give a whole number of bins between 1 and a million." });
}

const equalWidthBins = ({ score }: RankedRows, bins: number): Int32Array =>
  Int32Array.from(score, (probability) => equalWidthBin(probability, bins));

/** A tie goes where its middle lies. */
function equalMassBins({ rows, weight, lastOfTie }: RankedRows, bins: number): Int32Array {
  const total = weight === null ? rows : weight.reduce((sum, each) => sum + each, 0);
  const binOfPlace = new Int32Array(rows);
  let below = 0;
  for (let end = rows; end > 0; ) {
    let first = end - 1;
    while (first > 0 && lastOfTie[first - 1] === 0) first--;
    let tied = 0;
    for (let place = first; place < end; place++) tied += weight === null ? 1 : weight[place];
    binOfPlace.fill(Math.min(bins - 1, Math.floor((bins * (below + tied / 2)) / total)), first, end);
    below += tied;
    end = first;
  }
  return binOfPlace;
}

function collectBins(ranked: RankedRows, binOfPlace: Int32Array, binning: Binning, bins: number): CalibrationBin[] {
  const { rows, score, label, weight } = ranked;
  const totals = new Float64Array(bins);
  const probability = new Float64Array(bins);
  const positives = new Float64Array(bins);
  const least = new Float64Array(bins);
  const greatest = new Float64Array(bins).fill(-1);
  for (let place = 0; place < rows; place++) {
    const own = weight === null ? 1 : weight[place];
    if (own === 0) continue;
    const bin = binOfPlace[place];
    totals[bin] += own;
    probability[bin] += own * score[place];
    positives[bin] += own * label[place];
    // Places descend: the first of a bin is its greatest, the last its least.
    if (greatest[bin] < 0) greatest[bin] = score[place];
    least[bin] = score[place];
  }
  const filled = Array.from(totals.keys()).filter((bin) => totals[bin] > 0);
  return filled.map((bin) => ({
    low: binning === "equal-width" ? bin / bins : least[bin],
    high: binning === "equal-width" ? (bin + 1) / bins : greatest[bin],
    weight: totals[bin],
    meanProbability: probability[bin] / totals[bin],
    shareOfPositives: positives[bin] / totals[bin],
  }));
}

function errorOf(bins: readonly CalibrationBin[]): CalibrationError | undefined {
  if (bins.length === 0) return undefined;
  const gaps = bins.map(({ meanProbability, shareOfPositives }) => Math.abs(meanProbability - shareOfPositives));
  const total = bins.reduce((sum, { weight }) => sum + weight, 0);
  const ece = gaps.reduce((sum, gap, index) => sum + gap * bins[index].weight, 0) / total;
  return { ece, mce: Math.max(...gaps), bins };
}
