import { ApiError } from "../../../../src/client/index.ts";
import type {
  Approval,
  ExplanationSummary,
  Gate,
  ModelReport,
  ModelVersion,
  Promotion,
  RegisteredModel,
} from "../../../../src/contract/index.ts";
import { isLoss } from "../../components/format.ts";

/** In the order that a version goes through them. */
export const STAGES = ["None", "Staging", "Production", "Archived"] as const satisfies readonly ModelVersion["stage"][];

/** The version to show first: the champion, else the newest; null when none is registered. */
export const defaultVersion = (model: RegisteredModel): number | null =>
  model.aliases.champion ?? model.versions.reduce<number | null>((newest, { version }) => Math.max(newest ?? 0, version), null);

export const newestFirst = <T extends { version: number }>(versions: readonly T[]): T[] =>
  [...versions].sort((a, b) => b.version - a.version);

/** The last gate that a version went through. */
export const gateOf = (gates: readonly Gate[], version: number): Gate | null =>
  gates
    .filter((gate) => gate.version === version)
    .reduce<Gate | null>((last, gate) => (last === null || gate.openedAt > last.openedAt ? gate : last), null);

export const latestFirst = <T extends { at: string }>(decisions: readonly T[]): T[] =>
  [...decisions].sort((a, b) => b.at.localeCompare(a.at));

/** What was decided last about any alias; null before the first decision. */
export const lastDecision = ({ promotions }: RegisteredModel): Promotion | null =>
  promotions.reduce<Promotion | null>((last, each) => (last === null || each.at > last.at ? each : last), null);

/** Of each person the last word about a version, which is the one that counts; the latest first. */
export function lastWords(approvals: readonly Approval[], version: number): Approval[] {
  const byActor = new Map<string, Approval>();
  for (const each of latestFirst(approvals))
    if (each.version === version && !byActor.has(each.actor)) byActor.set(each.actor, each);
  return [...byActor.values()];
}

/** Whether a version's gate waits for people, or one of them spoke against it: then a word more can change something. */
export const asksForPeople = (gate: Gate | null, words: readonly Approval[]): boolean =>
  gate?.state === "waiting" || words.some(({ decision }) => decision === "declined");

/** The version that another is compared with when nobody chose one: the newest before it, else the oldest after it; null when it is alone. */
export function comparedWith(versions: readonly { version: number }[], version: number): number | null {
  const others = newestFirst(versions).filter((each) => each.version !== version);
  return others.find((each) => each.version < version)?.version ?? others.at(-1)?.version ?? null;
}

const WITHOUT_REPORT = new Set(["PROJECT_REPORT_MISSING", "PROJECT_VERSION_NOT_PACKAGED", "SERVER_PROJECT_MISSING"]);

/** Whether the server says that a version has no report, which is no failure. */
export const isReportMissing = (error: unknown): boolean => error instanceof ApiError && WITHOUT_REPORT.has(error.body.code);

/** Candidates best first by a metric; those without it last, in the order they came. */
export function rankCandidates(candidates: ModelReport["candidates"], metric: string): ModelReport["candidates"] {
  const score = (candidate: ModelReport["candidates"][number]): number => {
    const value = candidate.metrics[metric]?.value;
    if (value === undefined) return Number.NEGATIVE_INFINITY;
    return isLoss(metric) ? -value : value;
  };
  return [...candidates].sort((a, b) => (score(a) === score(b) ? 0 : score(b) - score(a)));
}

export interface ImportanceBar {
  readonly feature: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export const shapBars = ({ shap }: ExplanationSummary, most = 15): ImportanceBar[] =>
  shap.slice(0, most).map(({ feature, meanAbs }) => ({ feature, value: meanAbs, low: null, high: null }));

export const permutationBars = ({ permutation }: ExplanationSummary, most = 15): ImportanceBar[] =>
  [...permutation]
    .sort((a, b) => b.drop.value - a.drop.value)
    .slice(0, most)
    .map(({ feature, drop }) => ({ feature, ...drop }));

export interface SwarmDot {
  readonly feature: string;
  readonly phi: number;
  /** Away from the middle of the feature's row: -1…1. */
  readonly offset: number;
  /** Colour's position between the feature's least and greatest value; null: missing or a category. */
  readonly value: number | null;
}

const SWARM_BINS = 90;

/**
 * Beeswarm positions: points of about the same SHAP value stack alternately above and below the middle of their feature's row, and the
 * fullest stack of all rows fills the row's height. Deterministic, so a redraw moves nothing.
 */
export function swarm(sample: ExplanationSummary["sample"], features: readonly string[]): SwarmDot[] {
  const chosen = features.flatMap((name) => sample.filter(({ feature }) => feature === name));
  const all = chosen.flatMap(({ points }) => points.map(({ phi }) => phi));
  if (all.length === 0) return [];
  const low = all.reduce((least, phi) => Math.min(least, phi), Number.POSITIVE_INFINITY);
  const high = all.reduce((greatest, phi) => Math.max(greatest, phi), Number.NEGATIVE_INFINITY);
  const width = (high - low) / SWARM_BINS || 1;
  let fullest = 1;
  const stacked = chosen.flatMap(({ feature, points }) => {
    const filled = new Map<number, number>();
    return points.map(({ phi, value }) => {
      const bin = Math.floor((phi - low) / width);
      const below = filled.get(bin) ?? 0;
      filled.set(bin, below + 1);
      fullest = Math.max(fullest, below + 1);
      const side = below % 2 === 0 ? 1 : -1;
      return { feature, phi, value, offset: side * Math.ceil(below / 2) };
    });
  });
  const reach = Math.max(1, Math.ceil((fullest - 1) / 2));
  return stacked.map((dot) => ({ ...dot, offset: dot.offset / reach }));
}

export interface SegmentRow {
  readonly name: string;
  readonly rows: number;
  /** null unless the target is binary. */
  readonly positives: number | null;
  readonly metrics: ExplanationSummary["segments"][number]["metrics"];
}

/** Segments worst first by a metric; those where it is undefined (too few labels) last. */
export function rankSegments(segments: ExplanationSummary["segments"], metric: string): SegmentRow[] {
  const badness = (row: SegmentRow): number => {
    const value = row.metrics[metric]?.value;
    if (value === undefined) return Number.NEGATIVE_INFINITY;
    return isLoss(metric) ? value : -value;
  };
  return segments
    .map(({ segment, value, rows, positives, metrics }) => ({ name: `${segment} = ${value}`, rows, positives, metrics }))
    .sort((a, b) => (badness(a) === badness(b) ? 0 : badness(b) - badness(a)));
}
