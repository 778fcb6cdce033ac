import { DAY, type Micros } from "../time.ts";
import type { FeatureColumn } from "../training/index.ts";
import { type AffineChange, affineChange } from "./affine-change.ts";
import { jensenShannon, normedWasserstein, populationStability } from "./distances.ts";
import { monitorErrors } from "./errors.ts";
import { countBins, onLattice } from "./histogram.ts";
import type { CategoricalProfile, NormalDay, NumericProfile, Profile, ReferenceProfile } from "./reference.ts";

/** A stretch of the prediction log, in columns of `predictions.length` rows named by feature id. */
export interface Window {
  readonly start: Micros;
  readonly end: Micros;
  readonly features: readonly FeatureColumn[];
  /** Calibrated probabilities. */
  readonly predictions: Float64Array;
}

export interface DriftOptions {
  /** Fewer rows than this get no verdict. */
  readonly minRows?: number;
  /** A window may lie this many times as far from the reference as its 99th-percentile day. */
  readonly safety?: number;
}

const DEFAULTS = { minRows: 100, safety: 1.5 };
/** Limits are no lower than this, so that a column that never moved does not alarm at its first odd row. */
const FLOOR: NormalDay = { distance: 0.05, shift: 0.1, missing: 0.05, outside: 0.05 };
/** Known values without which a distance is noise. */
const MIN_KNOWN = 30;

export type DriftSignal = "distance" | "shift" | "missing" | "outside";

/** How far one column of a window lies from the reference. */
export interface ColumnDrift {
  readonly feature: string;
  readonly source: string | null;
  /** Moves with the calendar: reported, never alone an alarm. */
  readonly seasonal: boolean;
  readonly rows: number;
  readonly missingShare: number;
  /** The window's share of missing values less the reference's. */
  readonly missingChange: number;
  /** Share of known values that the reference never had: out of its range, off its lattice of values, or a new category. */
  readonly outsideShare: number;
  /** Jensen-Shannon distance (natural logarithm, 0…0.83); null with fewer than 30 known values. */
  readonly distance: number | null;
  readonly psi: number | null;
  /** First Wasserstein distance in standard deviations of the reference, from its 100 kept quantiles; numbers only. */
  readonly wasserstein: number | null;
  readonly limits: NormalDay;
  /** The strongest signal over its limit: above 1, days of the reference did not do this. null: too few rows to say. */
  readonly score: number | null;
  readonly signal: DriftSignal | null;
  readonly drifted: boolean;
}

export interface DriftReport {
  readonly formatVersion: 1;
  readonly start: Micros;
  readonly end: Micros;
  readonly rows: number;
  readonly features: readonly ColumnDrift[];
  readonly prediction: ColumnDrift;
  /** Numbers whose drift a change of units explains. */
  readonly changes: readonly AffineChange[];
  /** Features of the reference that the log does not have. */
  readonly absent: readonly string[];
  /** Rows a day in the window, and what days of the reference had. */
  readonly volume: { readonly perDay: number; readonly low: number; readonly median: number; readonly high: number };
}

/**
 * Compares a window of predictions with the training reference. A verdict asks how the window's distance compares with
 * that of the reference's own days (see `buildReference`), so it does not depend on the number of rows as p-values do.
 *
 * @throws MONITOR_WINDOW_INVALID, MONITOR_COLUMNS_MISMATCH, MONITOR_REFERENCE_NEWER
 */
export function driftReport(reference: ReferenceProfile, window: Window, options: DriftOptions = {}): DriftReport {
  checkWindow(reference, window);
  const settings = { ...DEFAULTS, ...options, dayRows: reference.rowsPerDay.median };
  const columns = new Map(window.features.map((column) => [column.id, column]));
  const present = reference.features.flatMap((profile) => {
    const column = columns.get(profile.id);
    return column === undefined ? [] : [{ profile, column }];
  });
  const features = present.map(({ profile, column }) => columnDrift(profile, column, settings));
  const changes = present.flatMap(({ profile, column }, i) => {
    const { drifted, signal } = features[i];
    if (!drifted || signal === "missing" || profile.kind !== "numeric" || column.kind !== "numeric") return [];
    return affineChange(profile, column.values, (values) => shapeScore(profile, values, settings)) ?? [];
  });
  const predictions: FeatureColumn = { kind: "numeric", id: "prediction", values: window.predictions };
  const days = (window.end - window.start) / DAY;
  return {
    formatVersion: 1,
    start: window.start,
    end: window.end,
    rows: window.predictions.length,
    features,
    prediction: columnDrift(reference.prediction, predictions, settings),
    changes,
    absent: reference.features.filter(({ id }) => !columns.has(id)).map(({ id }) => id),
    volume: { perDay: window.predictions.length / days, ...reference.rowsPerDay },
  };
}

type Settings = Required<DriftOptions> & { readonly dayRows: number };

function checkWindow(reference: ReferenceProfile, window: Window): void {
  const { formatVersion }: { formatVersion: number } = reference;
  if (formatVersion > 1) throw monitorErrors.MONITOR_REFERENCE_NEWER(`The reference has format ${formatVersion}, this reads 1`);
  if (!(window.end > window.start))
    throw monitorErrors.MONITOR_WINDOW_INVALID(`The window ends at ${window.end}, not after ${window.start}`);
  const kinds = new Map(reference.features.map(({ id, kind }) => [id, kind]));
  for (const column of window.features) {
    const length = column.kind === "numeric" ? column.values.length : column.codes.length;
    if (length !== window.predictions.length) {
      throw monitorErrors.MONITOR_COLUMNS_MISMATCH(`Column ${column.id} has ${length} of ${window.predictions.length} rows`);
    }
    const kind = kinds.get(column.id);
    if (kind !== undefined && kind !== "empty" && kind !== column.kind) {
      throw monitorErrors.MONITOR_COLUMNS_MISMATCH(`Column ${column.id} is ${column.kind}, the reference's is ${kind}`);
    }
  }
}

interface Shape {
  readonly known: number;
  readonly outsideShare: number;
  readonly distance: number | null;
  readonly psi: number | null;
  readonly wasserstein: number | null;
  readonly bins: number;
}

function columnDrift(profile: Profile, column: FeatureColumn, settings: Settings): ColumnDrift {
  const shape = shapeOf(profile, column);
  const rows = column.kind === "numeric" ? column.values.length : column.codes.length;
  const missingShare = rows === 0 ? 0 : 1 - shape.known / rows;
  const missingChange = rows === 0 ? 0 : missingShare - profile.missingShare;
  const limits = limitsOf(profile, shape, settings);
  const signals: readonly (readonly [DriftSignal, number])[] = [
    ["distance", shape.distance === null ? 0 : shape.distance / limits.distance],
    ["shift", (shape.wasserstein ?? 0) / limits.shift],
    ["missing", Math.abs(missingChange) / limits.missing],
    ["outside", shape.known < MIN_KNOWN ? 0 : shape.outsideShare / limits.outside],
  ];
  const [signal, score] = signals.reduce((strongest, next) => (next[1] > strongest[1] ? next : strongest));
  const judged = rows >= settings.minRows;
  return {
    feature: profile.id,
    source: profile.source,
    seasonal: profile.seasonal,
    rows,
    missingShare,
    missingChange,
    outsideShare: shape.outsideShare,
    distance: shape.distance,
    psi: shape.psi,
    wasserstein: shape.wasserstein,
    limits,
    score: judged ? score : null,
    signal: judged ? signal : null,
    drifted: judged && score > 1,
  };
}

/** Score of a number's known values alone, as `columnDrift` gives it. */
function shapeScore(profile: NumericProfile, values: Float64Array, settings: Settings): number {
  const shape = numericShape(profile, values);
  const limits = limitsOf(profile, shape, settings);
  return Math.max(
    (shape.distance ?? 0) / limits.distance,
    (shape.wasserstein ?? 0) / limits.shift,
    shape.outsideShare / limits.outside,
  );
}

/**
 * A window with fewer rows than a day of the reference lies farther off by chance alone: to second order the divergence is
 * chi-square / 8n, so its expectation grows by (bins - 1) / 8 x (1/n - 1/day's rows) (Lin, "Divergence measures based on the
 * Shannon entropy", 1991, and the expansion of Kullback-Leibler divergence by chi-square). Likewise the Wasserstein distance of n
 * normal values from their distribution is about 1.4 / sqrt(n) standard deviations (Bobkov and Ledoux, "One-dimensional empirical
 * measures, order statistics, and Kantorovich transport distances", 2019).
 */
function limitsOf(profile: Profile, { known, bins }: Shape, { safety, dayRows }: Settings): NormalDay {
  const distance = Math.max(FLOOR.distance, safety * profile.normal.distance);
  const shift = Math.max(FLOOR.shift, safety * profile.normal.shift);
  const fewer = known === 0 ? 0 : Math.max(0, 1 / known - 1 / dayRows);
  return {
    distance: Math.sqrt(distance ** 2 + ((bins - 1) / 8) * fewer),
    shift: Math.sqrt(shift ** 2 + 2 * fewer),
    missing: Math.max(FLOOR.missing, safety * profile.normal.missing),
    outside: Math.max(FLOOR.outside, safety * profile.normal.outside),
  };
}

function shapeOf(profile: Profile, column: FeatureColumn): Shape {
  if (profile.kind === "numeric" && column.kind === "numeric") return numericShape(profile, column.values);
  if (profile.kind === "categorical" && column.kind === "categorical") return categoricalShape(profile, column);
  const known =
    column.kind === "numeric" ? column.values.filter(Number.isFinite).length : column.codes.filter((code) => code >= 0).length;
  return { known, outsideShare: 0, distance: null, psi: null, wasserstein: null, bins: 1 };
}

function numericShape(profile: NumericProfile, values: Float64Array): Shape {
  const sorted = values.filter(Number.isFinite).sort();
  const counts = countBins(profile.edges, sorted);
  const { lattice } = profile;
  const outside =
    lattice === null
      ? counts[0] + counts[counts.length - 1]
      : sorted.reduce((count, value) => count + (onLattice(lattice, value) ? 0 : 1), 0);
  const enough = sorted.length >= MIN_KNOWN;
  return {
    known: sorted.length,
    outsideShare: sorted.length === 0 ? 0 : outside / sorted.length,
    distance: enough ? jensenShannon(profile.counts, counts) : null,
    psi: enough ? populationStability(profile.counts, counts) : null,
    wasserstein: enough ? normedWasserstein(Float64Array.from(profile.quantiles), sorted, profile.std) : null,
    bins: counts.length - 2,
  };
}

function categoricalShape(profile: CategoricalProfile, column: FeatureColumn & { kind: "categorical" }): Shape {
  const bin = new Map(profile.categories.map((category, i) => [category, i]));
  const rest = profile.categories.length;
  const bins = column.categories.map((category) => bin.get(category) ?? rest);
  const counts = new Float64Array(rest + 1);
  for (const code of column.codes) if (code >= 0) counts[bins[code]] += 1;
  const known = counts.reduce((sum, count) => sum + count, 0);
  const reference = [...profile.counts, profile.other];
  const enough = known >= MIN_KNOWN;
  return {
    known,
    outsideShare: known === 0 || profile.other > 0 ? 0 : counts[rest] / known,
    distance: enough ? jensenShannon(reference, counts) : null,
    psi: enough ? populationStability(reference, counts) : null,
    wasserstein: null,
    bins: reference.length,
  };
}
