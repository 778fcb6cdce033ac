import { formatTimestamp, HOUR, type Micros } from "../time.ts";
import type { AffineChange } from "./affine-change.ts";
import type { ColumnDrift, DriftReport } from "./drift.ts";
import type { Freshness, WindowReport } from "./window-report.ts";

export type CauseKind = "drift" | "missing" | "unit-change" | "freshness" | "volume" | "consistency";

export interface RankedCause {
  /** "source weather", "feature weather_now.temp", "prediction" or "requests". */
  readonly subject: string;
  readonly kind: CauseKind;
  /** Start of the first window of the present streak. */
  readonly since: Micros;
  /** Strongest signal over its limit in the latest window. */
  readonly score: number;
  /** What it does to predictions, larger is worse; comparable within one ranking. null where it cannot be said. */
  readonly cost: number | null;
  /** One sentence with the figures. */
  readonly evidence: string;
  readonly features: readonly string[];
  /** Consecutive windows, the latest included. */
  readonly windows: number;
  /** Only features that move with the calendar: never alone an alarm. */
  readonly seasonal: boolean;
}

export interface RankingOptions {
  /** Importance by feature id (permutation importance or mean |SHAP value|). */
  readonly importance?: Readonly<Record<string, number>>;
  /** Measured cost of these features' drift, in place of the importance-weighted score; see `repairCost`. */
  readonly cost?: (features: readonly string[]) => number | null;
}

/**
 * What may lie behind the drift of the latest window, dearest first. Features of one source that moved in the same window are
 * one cause. Without a measured cost, a cause costs the sum over its features of importance x (score - 1). The
 * prediction's own drift comes last: it is what causes bring about.
 *
 * @param history reports in time order; windows with too few rows to judge are passed over
 */
export function rankCauses(history: readonly WindowReport[], options: RankingOptions = {}): RankedCause[] {
  const windows = history.filter(({ drift }) => drift !== null && isJudged(drift));
  const causes = windows.length === 0 ? [] : [...driftCauses(windows, options), ...volumeCause(windows)];
  const ranked = [...causes, ...freshnessCauses(history)].sort(
    (a, b) => (b.cost ?? Number.NEGATIVE_INFINITY) - (a.cost ?? Number.NEGATIVE_INFINITY) || b.score - a.score,
  );
  return [
    ...ranked.filter(({ subject }) => subject !== "prediction"),
    ...ranked.filter(({ subject }) => subject === "prediction"),
  ];
}

const isJudged = (drift: DriftReport): boolean => drift.prediction.score !== null;

/** One group of columns that moved together in one window. */
interface Group {
  readonly key: string;
  readonly kind: CauseKind;
  readonly columns: readonly ColumnDrift[];
  readonly changes: readonly AffineChange[];
}

function driftCauses(windows: readonly WindowReport[], options: RankingOptions): RankedCause[] {
  const groups = windows.map(({ drift }) => (drift === null ? [] : groupsOf(drift)));
  const latest = windows[windows.length - 1];
  return (groups[groups.length - 1] ?? []).map((group): RankedCause => {
    const streak = streakOf(groups, group);
    const features = group.columns.map(({ feature }) => feature);
    return {
      subject: subjectOf(group),
      kind: group.kind,
      since: windows[windows.length - streak].start,
      score: Math.max(...group.columns.map(({ score }) => score ?? 0)),
      cost: group.key === "prediction" ? null : costOf(group, options),
      evidence: evidenceOf(group, latest.drift),
      features,
      windows: streak,
      seasonal: group.columns.every(({ seasonal, signal }) => seasonal && signal !== "missing") && group.kind !== "unit-change",
    };
  });
}

function groupsOf(drift: DriftReport): Group[] {
  const bySource = new Map<string, ColumnDrift[]>();
  for (const column of drift.features) {
    if (!column.drifted) continue;
    const key = column.source === null ? `feature ${column.feature}` : `source ${column.source}`;
    bySource.set(key, [...(bySource.get(key) ?? []), column]);
  }
  if (drift.prediction.drifted) bySource.set("prediction", [drift.prediction]);
  return Array.from(bySource, ([key, columns]) => {
    const ids = new Set(columns.map(({ feature }) => feature));
    const changes = drift.changes.filter(({ feature, name }) => name !== null && ids.has(feature));
    const strongest = columns.reduce((a, b) => ((b.score ?? 0) > (a.score ?? 0) ? b : a));
    const kind = strongest.signal === "missing" ? "missing" : changes.length > 0 ? "unit-change" : "drift";
    return { key, kind, columns, changes };
  });
}

/**
 * Windows back from the latest in which the same group had the same trouble. A feature that carries it must drift in each
 * window and the one after: other features by turns are what chance looks like.
 */
function streakOf(groups: readonly (readonly Group[])[], latest: Group): number {
  const steady = (group: Group) =>
    new Set(group.columns.filter((c) => !c.seasonal || c.signal === "missing").map(({ feature }) => feature));
  let features = steady(latest);
  let streak = 1;
  for (let i = groups.length - 2; i >= 0; i--) {
    const earlier = groups[i].find(({ key, kind }) => key === latest.key && kind === latest.kind);
    if (earlier === undefined) break;
    const now = steady(earlier);
    const shared =
      latest.kind === "unit-change" || (now.size === 0 && features.size === 0) || [...now].some((id) => features.has(id));
    if (!shared) break;
    features = now;
    streak++;
  }
  return streak;
}

function subjectOf({ key, columns }: Group): string {
  const [only] = columns;
  return key.startsWith("source ") && columns.length === 1 && only !== undefined ? `feature ${only.feature}` : key;
}

function costOf({ columns }: Group, { cost, importance }: RankingOptions): number | null {
  if (cost !== undefined) return cost(columns.map(({ feature }) => feature));
  if (importance === undefined) return null;
  return columns.reduce(
    (sum, { feature, score }) => sum + Math.max(0, importance[feature] ?? 0) * Math.max(0, (score ?? 0) - 1),
    0,
  );
}

function evidenceOf({ kind, columns, changes }: Group, drift: DriftReport | null): string {
  if (kind === "unit-change") {
    const named = changes.map(({ feature, name, factor, offset }) => {
      const shift = offset === 0 ? "" : ` ${offset < 0 ? "-" : "+"} ${figure(Math.abs(offset))}`;
      return `${feature} looks converted from ${name} (x ${figure(factor)}${shift})`;
    });
    return `${named.join("; ")}.`;
  }
  const worst = [...columns].sort((a, b) => (b.score ?? 0) - (a.score ?? 0)).slice(0, 3);
  const figures = worst.map((column) => {
    if (column.signal === "missing") {
      const before = column.missingShare - column.missingChange;
      return `${column.feature} is missing in ${share(column.missingShare)} of ${column.rows} rows (${share(before)} in the reference)`;
    }
    if (column.signal === "outside") {
      return `${share(column.outsideShare)} of ${column.feature} are values the reference never had (limit ${share(column.limits.outside)})`;
    }
    if (column.signal === "shift") {
      return `${column.feature} moved by ${figure(column.wasserstein ?? 0)} standard deviations (limit ${figure(column.limits.shift)})`;
    }
    return `${column.feature} lies ${figure(column.distance ?? 0)} from the reference (limit ${figure(column.limits.distance)})`;
  });
  const more = columns.length - worst.length;
  const rest = more > 0 ? `; ${more} more of ${drift?.features.length ?? 0} features moved` : "";
  return `${figures.join("; ")}${rest}.`;
}

/** Half of what the reference's quietest days had, or twice its busiest. */
function volumeCause(windows: readonly WindowReport[]): RankedCause[] {
  const outside = ({ drift }: WindowReport): boolean =>
    drift !== null && (drift.volume.perDay < drift.volume.low / 2 || drift.volume.perDay > 2 * drift.volume.high);
  const latest = windows[windows.length - 1];
  if (latest.drift === null || !outside(latest)) return [];
  const { perDay, low, high } = latest.drift.volume;
  const streak = windows.length - 1 - windows.findLastIndex((window) => !outside(window));
  return [
    {
      subject: "requests",
      kind: "volume",
      since: windows[windows.length - streak].start,
      score: perDay > high ? perDay / (2 * high) : low / (2 * Math.max(1, perDay)),
      cost: null,
      evidence: `${figure(perDay)} predictions a day; days of the reference had ${figure(low)} to ${figure(high)}.`,
      features: [],
      windows: streak,
      seasonal: false,
    },
  ];
}

function freshnessCauses(history: readonly WindowReport[]): RankedCause[] {
  const latest = history[history.length - 1];
  if (latest === undefined) return [];
  const stale = (window: WindowReport, source: string): Freshness | undefined =>
    window.freshness.find(
      (entry) => entry.source === source && (entry.newest === null || window.end - entry.newest > entry.allowed),
    );
  return latest.freshness.flatMap(({ source }) => {
    const entry = stale(latest, source);
    if (entry === undefined) return [];
    const streak = history.length - 1 - history.findLastIndex((window) => stale(window, source) === undefined);
    const age = entry.newest === null ? null : latest.end - entry.newest;
    const newest = entry.newest === null ? "has no rows" : `has nothing newer than ${formatTimestamp(entry.newest)}`;
    return {
      subject: `source ${source}`,
      kind: "freshness" as const,
      since: history[history.length - streak].start,
      score: age === null ? 10 : age / Math.max(1, entry.allowed),
      cost: null,
      evidence: `${source} ${newest}; ${figure(entry.allowed / HOUR)} h old is allowed.`,
      features: [],
      windows: streak,
      seasonal: false,
    };
  });
}

const share = (value: number): string => `${figure(100 * value)}%`;
const figure = (value: number): string => String(Number(value.toPrecision(4)));
