import type { MetricName } from "../../core/definitions/index.ts";
import {
  adjustPValues,
  type Comparison,
  compareCandidates,
  type Dataset,
  predict,
  type RowSelection,
  resampledPredictions,
  unpackModel,
} from "../../core/training/index.ts";
import type { Stage } from "./stage.ts";
import type { TrainedCandidate } from "./train.ts";

/** What another candidate is against the winner: "worse" says that the winner is better by more than chance. */
export interface CandidateComparison extends Pick<Comparison, "verdict" | "difference"> {
  readonly candidate: string;
  /** Corrected for the number of candidates (Holm); null where undefined. */
  readonly pValue: number | null;
}

const RESAMPLES = 400;

/** Paired on the same rows, by resampling days. */
export async function compareWithWinner(
  { artifacts }: Stage,
  dataset: Dataset,
  rows: RowSelection,
  candidates: readonly TrainedCandidate[],
  winner: TrainedCandidate,
  metric: MetricName,
): Promise<CandidateComparison[]> {
  const scored = async ({ package: file }: TrainedCandidate) => {
    const model = unpackModel(await artifacts.read(file.sha256));
    return resampledPredictions(dataset, rows, predict(model, dataset, rows).prediction, model.decision);
  };
  const best = await scored(winner);
  const found: { name: string; comparison: Comparison }[] = [];
  for (const candidate of candidates) {
    if (candidate.variant.name === winner.variant.name) continue;
    const comparison = compareCandidates(await scored(candidate), best, metric, { resamples: RESAMPLES });
    found.push({ name: candidate.variant.name, comparison });
  }
  const adjusted = adjustPValues(found.map(({ comparison }) => comparison.pValue ?? 1));
  return found.map(({ name, comparison: { verdict, difference, pValue } }, index) => ({
    candidate: name,
    verdict,
    difference,
    pValue: pValue === null ? null : adjusted[index],
  }));
}
