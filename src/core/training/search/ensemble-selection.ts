import { trainErrors } from "../errors.ts";
import { type Direction, lossOf } from "./trial.ts";

export interface EnsembleSelection {
  /** One a set of predictions, in their order; they sum to 1, and most are 0. */
  readonly weights: readonly number[];
  /** Of the weighted mean. Never worse than the best single one, and as optimistic as any score that was selected by. */
  readonly score: number;
}

/**
 * Greedy ensemble selection with replacement: begins with the best single one and adds, again and again, the one with which the
 * mean scores best; of all these ensembles the best is kept, of equal ones the first. Caruana, Niculescu-Mizil, Crew & Ksikes,
 * "Ensemble selection from libraries of models", ICML 2004.
 *
 * @param predictions each of the same rows in the same order, on a scale on which means make sense (probabilities, values)
 * @param score of a mean; one that is not finite is never chosen
 * @param size members at most, repetitions counted
 * @throws TRAIN_EVALUATION_INVALID when the lengths differ; TRAIN_NO_CANDIDATE when none has a finite score
 */
export function selectEnsemble(
  predictions: readonly Float64Array[],
  score: (mean: Float64Array) => number,
  direction: Direction,
  size = 25,
): EnsembleSelection {
  const rows = predictions[0]?.length ?? 0;
  const odd = predictions.findIndex(({ length }) => length !== rows);
  if (odd >= 0)
    throw trainErrors.TRAIN_EVALUATION_INVALID(`Predictions ${odd} are of ${predictions[odd].length} rows, the first of ${rows}`);

  const sum = new Float64Array(rows);
  const mean = new Float64Array(rows);
  const counts = new Array<number>(predictions.length).fill(0);
  let best: EnsembleSelection | null = null;
  for (let members = 1; members <= size; members++) {
    const meanWith = (added: Float64Array) => {
      for (let row = 0; row < rows; row++) mean[row] = (sum[row] + added[row]) / members;
      return mean;
    };
    const scores = predictions.map((each) => score(meanWith(each)));
    const chosen = bestIndex(scores, direction);
    if (chosen === null) break;
    counts[chosen] += 1;
    for (let row = 0; row < rows; row++) sum[row] += predictions[chosen][row];
    if (best === null || lossOf(scores[chosen], direction) < lossOf(best.score, direction))
      best = { weights: counts.map((count) => count / members), score: scores[chosen] };
  }
  if (best === null) throw trainErrors.TRAIN_NO_CANDIDATE(`None of ${predictions.length} sets of predictions has a score`);
  return best;
}

function bestIndex(scores: readonly number[], direction: Direction): number | null {
  let best: number | null = null;
  scores.forEach((score, index) => {
    if (!Number.isFinite(score)) return;
    if (best === null || lossOf(score, direction) < lossOf(scores[best], direction)) best = index;
  });
  return best;
}
