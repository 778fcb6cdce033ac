import type { Direction, EndedTrial, PruningLimit, Report } from "./trial.ts";
import { lossOf } from "./trial.ts";

/** When a trial is given up before its end. Plain data: the study's journal keeps it. */
export type Pruner =
  | { readonly kind: "none" }
  /** Successive halving without waiting: at each rung only the best 1 / `reduction` go on. */
  | { readonly kind: "halving"; readonly minResource: number; readonly maxResource: number; readonly reduction: number }
  /** Gives up what is worse than the median of the trials before it. */
  | { readonly kind: "median"; readonly startup: number; readonly warmup: number };

export const noPruner = (): Pruner => ({ kind: "none" });

/**
 * Rungs at minResource, minResource x reduction, … below maxResource, in the unit of the trials' reports (trees, folds, rows).
 */
export const halvingPruner = ({
  minResource,
  maxResource,
  reduction = 3,
}: {
  minResource: number;
  maxResource: number;
  reduction?: number;
}): Pruner => ({ kind: "halving", minResource, maxResource, reduction });

/** No trial is given up before `startup` others have reported at a step, or at steps before `warmup`. */
export const medianPruner = ({ startup = 5, warmup = 0 }: { startup?: number; warmup?: number } = {}): Pruner => ({
  kind: "median",
  startup,
  warmup,
});

/**
 * What the next trial is measured against, from the reports of the trials that have ended; by rising step. A trial takes its limits
 * along, so that it can stop itself inside a long computation.
 *
 * halving: asynchronous successive halving in the form that stops trials (Li et al., "A system for massively parallel
 * hyperparameter tuning", MLSys 2020; Jamieson & Talwalkar, AISTATS 2016). Of n reports at a rung, its own included, the best
 * n / reduction go on, at least one. Trials that run at the same time do not count for each other.
 * median: Golovin et al., "Google Vizier", KDD 2017, 3.2.2, with the others' values at the same step.
 */
export function pruningLimits(pruner: Pruner, ended: readonly EndedTrial[], direction: Direction): PruningLimit[] {
  if (pruner.kind === "none") return [];
  const trials = ended.filter(({ state }) => state !== "failed").map(({ reports }) => reports);
  if (pruner.kind === "median") return medianLimits(pruner, trials, direction);
  return rungs(pruner).flatMap((step) => {
    const values = bestFirst(
      trials.map((reports) => reportAt(reports, step)),
      direction,
    );
    const goOn = Math.max(1, Math.floor((values.length + 1) / pruner.reduction));
    return goOn <= values.length ? [{ step, worst: values[goOn - 1] }] : [];
  });
}

/** The steps at which a halving pruner decides. */
export function rungs({ minResource, maxResource, reduction }: Extract<Pruner, { kind: "halving" }>): number[] {
  const steps: number[] = [];
  for (let step = minResource; step < maxResource; step *= reduction) steps.push(step);
  return steps;
}

function medianLimits(
  { startup, warmup }: Extract<Pruner, { kind: "median" }>,
  trials: readonly (readonly Report[])[],
  direction: Direction,
): PruningLimit[] {
  const steps = new Set(trials.flatMap((reports) => reports.map(({ step }) => step)));
  return [...steps]
    .filter((step) => step >= warmup)
    .toSorted((a, b) => a - b)
    .flatMap((step) => {
      const values = bestFirst(
        trials.map((reports) => reports.find((report) => report.step === step)),
        direction,
      );
      return values.length >= startup ? [{ step, worst: values[Math.ceil(values.length / 2) - 1] }] : [];
    });
}

const reportAt = (reports: readonly Report[], rung: number) => reports.find(({ step }) => step >= rung);

/** The values of reports that were made and defined. */
function bestFirst(reports: readonly (Report | undefined)[], direction: Direction): number[] {
  return reports
    .flatMap((report) => (report === undefined || report.value === null ? [] : [report.value]))
    .toSorted((a, b) => lossOf(a, direction) - lossOf(b, direction));
}

/**
 * Decides after each report, which must come by rising step, whether the trial stops: when the first report at or after a limit's
 * step is worse than the limit, or undefined there.
 */
export function pruneCheck(limits: readonly PruningLimit[], direction: Direction): (report: Report) => boolean {
  let next = 0;
  return ({ step, value }) => {
    let stops = false;
    for (; next < limits.length && limits[next].step <= step; next++)
      stops ||= value === null || lossOf(value, direction) > lossOf(limits[next].worst, direction);
    return stops;
  };
}
