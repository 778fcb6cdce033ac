import { DAY, type Micros } from "../../time.ts";
import type { DataReview } from "./data-review.ts";

type Figures = Omit<DataReview, "proposals" | "notes">;

/** A loss below this is not worth a sentence even when its interval is clear of 0. */
const NOTICEABLE = 0.002;

/** What to ask of the data next, as sentences; each follows from a figure that it names. */
export function proposals(review: Figures): string[] {
  return [learning(review), ...needed(review), ...stale(review), ...unneeded(review), ...segments(review), ...slices(review)];
}

function learning({ metric, gainOfLastDoubling: gain, trainingRows }: Figures): string {
  const figures = `${metric} ${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)})`;
  if (gain.low > 0) {
    return `Doubling the history to ${trainingRows.used} rows still helped: ${figures}. Require a longer history.`;
  }
  if (gain.high < 0) {
    return `The most recent half of the rows did better than all of them: ${figures}. Train on a shorter, more recent period.`;
  }
  return `Doubling the history to ${trainingRows.used} rows made no clear difference: ${figures}. More rows of the same kind will not help much.`;
}

function needed({ metric, views }: Figures): string[] {
  return views
    .filter(({ whenMissing }) => whenMissing.low > 0 && whenMissing.value >= NOTICEABLE)
    .sort((a, b) => b.whenMissing.value - a.whenMissing.value)
    .slice(0, 3)
    .map(
      ({ view, source, whenMissing }) =>
        `Without values of ${view}, ${metric} is worse by ${figure(whenMissing.value)} (${figure(whenMissing.low)} to ${figure(whenMissing.high)}). ` +
        `Require freshness and coverage of ${source === null ? "its inputs" : `source ${source}`}.`,
    );
}

/** Another row's values say too much about entities to ask for freshness by. */
function stale({ metric, views }: Figures): string[] {
  return views.flatMap(({ view, source, whenStale }) => {
    if (whenStale === undefined || whenStale.values === "another-row") return [];
    const { loss, by } = whenStale;
    if (loss.low <= 0 || loss.value < NOTICEABLE) return [];
    return [
      `With values of ${view} that are ${inDays(by)} old, ${metric} is worse by ${figure(loss.value)} ` +
        `(${figure(loss.low)} to ${figure(loss.high)}). Require ${source === null ? "its inputs" : `source ${source}`} to be fresher than that.`,
    ];
  });
}

function unneeded({ metric, views }: Figures): string[] {
  return views
    .filter(({ withoutView }) => withoutView.low <= 0 && withoutView.value < NOTICEABLE)
    .map(
      ({ view, withoutView }) =>
        `A model without ${view} loses ${figure(withoutView.value)} of ${metric} (${figure(withoutView.low)} to ${figure(withoutView.high)}): ` +
        "nothing that can be told from chance. Leave the view out, or give it better features.",
    );
}

function segments({ metric, value, worstSegments, undefinedSegments }: Figures): string[] {
  const [worst] = worstSegments;
  const estimate = worst?.metrics[metric];
  const sentences: string[] = [];
  if (worst !== undefined && estimate !== undefined && !(estimate.low <= value && value <= estimate.high)) {
    sentences.push(
      `${worst.segment} ${worst.value} is the weakest segment: ${metric} ${figure(estimate.value)} (${figure(estimate.low)} to ${figure(estimate.high)}) ` +
        `against ${figure(value)} overall. Look for features that describe it.`,
    );
  }
  if (undefinedSegments > 0) {
    sentences.push(
      `${undefinedSegments} segment values have too few positive labels to be judged. Collect labels for them before relying on them.`,
    );
  }
  return sentences;
}

function slices({ weakSlices }: Figures): string[] {
  const [worst] = weakSlices?.slices ?? [];
  if (weakSlices === undefined || worst === undefined) return [];
  return [
    `Where ${worst.conditions.join(" and ")} (${(100 * worst.share).toFixed(1)}% of rows), ${weakSlices.loss} is ${figure(worst.loss)} against ` +
      `${figure(worst.lossElsewhere)} elsewhere. Look for features that tell these rows apart, or say on the card that the model is weak there.`,
  ];
}

export function inDays(time: Micros): string {
  const days = Number((time / DAY).toFixed(2));
  return days === 1 ? "1 day" : `${days} days`;
}

/** Three decimals, and no minus before zero. */
const figure = (value: number): string => (Math.abs(value) < 0.0005 ? 0 : value).toFixed(3);
const signed = (value: number): string => `${value < -0.0005 ? "" : "+"}${figure(value)}`;
