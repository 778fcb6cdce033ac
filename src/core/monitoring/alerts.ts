import type { Criterion } from "../definitions/index.ts";
import { formatTimestamp, type Micros } from "../time.ts";
import { type CauseKind, type RankedCause, type RankingOptions, rankCauses } from "./rank-causes.ts";
import type { WindowReport } from "./window-report.ts";

export interface AlertDraft {
  /** "drift": inputs moved, training again may help. "quality": data does not come, training again would not. */
  readonly kind: "drift" | "quality" | "performance";
  readonly severity: "warning" | "critical";
  readonly title: string;
  /** When the condition began. */
  readonly since: Micros;
  /** The same condition gives the same key in every later window, until it ends; one that comes back later may have it again. */
  readonly dedupeKey: string;
  /** Everything that moved, dearest first. */
  readonly causes: readonly RankedCause[];
}

export interface JudgeOptions extends RankingOptions {
  /** Consecutive windows in which the same feature must drift. */
  readonly consecutive?: number;
  /** A score above this alarms at once. */
  readonly massive?: number;
  /** Days a cohort needs before its interval means something. */
  readonly minDays?: number;
}

const DEFAULTS = { consecutive: 2, massive: 3, minDays: 5 };
const QUALITY: ReadonlySet<CauseKind> = new Set(["missing", "freshness", "volume"]);

/**
 * The alerts that hold at the end of `history`. A cause alarms when it lasted two windows or is massive; seasonal drift, the
 * prediction's own drift and volume never alarm alone, they stand among the causes. A performance alert wants the whole interval of a
 * matured cohort on the wrong side of the charter's criterion; give it windows of several days (`minDays`), because the
 * interval resamples days.
 *
 * @param history reports of one endpoint, in time order
 * @param criteria the charter's; those that compare with something else than a figure are passed over
 */
export function judge(
  history: readonly WindowReport[],
  criteria: readonly Criterion[],
  options: JudgeOptions = {},
): AlertDraft[] {
  const { consecutive, massive, minDays } = { ...DEFAULTS, ...options };
  const causes = rankCauses(history, options);
  const alarming = causes.filter(
    ({ subject, kind, seasonal, score, windows }) =>
      !seasonal && subject !== "prediction" && kind !== "volume" && (windows >= consecutive || score > massive),
  );
  const moved = alarming.map(
    (cause): AlertDraft => ({
      kind: QUALITY.has(cause.kind) ? "quality" : "drift",
      severity: cause.score > massive ? "critical" : "warning",
      title: titleOf(cause),
      since: cause.since,
      dedupeKey: `${cause.kind}:${groupOf(cause)}:${formatTimestamp(cause.since)}`,
      causes,
    }),
  );
  return [...moved, ...performanceAlerts(history, criteria, minDays, causes)];
}

/** A source's cause keeps its key when a second feature of it joins the first. */
const groupOf = ({ subject, features }: RankedCause): string => {
  const [first] = features;
  return subject.startsWith("feature ") && first !== undefined ? (first.split(".", 1)[0] ?? subject) : subject;
};

function titleOf({ subject, kind, since, score }: RankedCause): string {
  const from = `since ${formatTimestamp(since)}`;
  switch (kind) {
    case "unit-change":
      return `The units of ${subject} seem to have changed ${from}`;
    case "missing":
      return `Values of ${subject} are missing ${from}`;
    case "freshness":
      return `Nothing new from ${subject} ${from}`;
    default:
      return `${subject.charAt(0).toUpperCase()}${subject.slice(1)} drifts ${from} (${score.toFixed(1)} x its limit)`;
  }
}

function performanceAlerts(
  history: readonly WindowReport[],
  criteria: readonly Criterion[],
  minDays: number,
  causes: readonly RankedCause[],
): AlertDraft[] {
  const matured = history.filter(({ performance }) => (performance?.evaluation?.days ?? 0) >= minDays);
  return criteria.flatMap((criterion): AlertDraft[] => {
    if (criterion.kind !== "at-least" && criterion.kind !== "at-most") return [];
    const { kind, metric, value } = criterion;
    const fails = ({ performance }: WindowReport): boolean => {
      const estimate = performance?.evaluation?.metrics[metric];
      return estimate !== undefined && (kind === "at-least" ? estimate.high < value : estimate.low > value);
    };
    const failing = matured.length - 1 - matured.findLastIndex((window) => !fails(window));
    const first = matured[matured.length - failing];
    const estimate = matured[matured.length - 1]?.performance?.evaluation?.metrics[metric];
    if (failing === 0 || first === undefined || estimate === undefined) return [];
    const interval = `${estimate.value.toFixed(3)} (${estimate.low.toFixed(3)} to ${estimate.high.toFixed(3)})`;
    return [
      {
        kind: "performance",
        severity: "critical",
        title: `${metric} is ${interval}, ${kind === "at-least" ? "below" : "above"} the charter's ${value}`,
        since: first.start,
        dedupeKey: `performance:${metric}:${kind}`,
        causes,
      },
    ];
  });
}
