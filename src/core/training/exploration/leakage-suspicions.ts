import { MINUTE } from "../../time.ts";
import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { rocAuc } from "../metrics/binary-metrics.ts";
import { spearman } from "./correlation.ts";
import type { ExplorationTarget } from "./exploration-target.ts";
import type { TargetRelation } from "./target-relation.ts";

/** A sign that a feature knows the answer, or tells rows apart by something that no later row will have. */
export interface LeakageSuspicion {
  readonly feature: string;
  readonly kind: SuspicionKind;
  /** The figure behind it, 0 … 1: what it is depends on the kind. */
  readonly figure: number;
  /** One sentence: what was seen, and what to check. */
  readonly says: string;
}

export type SuspicionKind =
  /** Area under the ROC curve (or for more classes, the share of the target's entropy that is explained) by the feature alone. */
  | "tells-alone"
  /** What it explains by itself: far more than any other feature. */
  | "far-above-rest"
  /** Correlation with the target. */
  | "equals-target"
  /** Share of one class among the rows with, or without, a value. */
  | "missing-by-class"
  /** Area under the ROC curve of how much later than the prediction a timestamp is. */
  | "after-prediction"
  /** Share of rows whose timestamp is when the label became known. */
  | "is-label-time"
  /** Correlation of ranks with the time of the prediction. */
  | "tells-time"
  /** Different categories for each row. */
  | "identifies-rows";

/** From where on a figure is suspicious. */
export interface SuspicionLimits {
  readonly auc: number;
  readonly explained: number;
  /** What one feature explains by itself, and by how much that is more than the next. */
  readonly alone: { readonly from: number; readonly ahead: number };
  readonly correlation: number;
  readonly classShare: number;
  readonly labelTime: number;
  readonly timeCorrelation: number;
  readonly distinct: number;
}

export const SUSPICION_LIMITS: SuspicionLimits = {
  auc: 0.95,
  explained: 0.8,
  alone: { from: 0.6, ahead: 0.35 },
  correlation: 0.98,
  classShare: 0.99,
  labelTime: 0.5,
  timeCorrelation: 0.99,
  distinct: 0.95,
};

/** Of fewer other features, the best one says nothing about what is usual. */
const FEW = 4;
/** Fewer rows with (or without) a value say nothing about why. */
const MIN_ROWS = 20;

export interface LeakageOptions {
  /** Ids of the features that hold Micros. */
  readonly timestamps?: readonly string[];
  readonly limits?: Partial<SuspicionLimits>;
}

/**
 * What looks like a leak. None of it is proof: a feature may be that good, and a leak may hide in several features that are each
 * unsuspicious. Plain JSON, the features in the dataset's order.
 *
 * @param relations of the same rows and target, by `targetRelations`
 */
export function leakageSuspicions(
  dataset: Dataset,
  rows: RowSelection,
  target: ExplorationTarget,
  relations: readonly TargetRelation[],
  { timestamps = [], limits = {} }: LeakageOptions = {},
): LeakageSuspicion[] {
  const context: Context = { dataset, rows, target, limits: { ...SUSPICION_LIMITS, ...limits } };
  return dataset.features.flatMap((column, index) => {
    const found = [
      tellsAlone(relations[index], context) ?? farAboveRest(relations, index, context),
      equalsTarget(relations[index], context),
      missingByClass(column, context),
      ...(timestamps.includes(column.id) ? timing(column, context) : []),
      tellsTime(column, context),
      identifiesRows(column, context),
    ];
    return found.flatMap((suspicion) => (suspicion === null ? [] : [{ feature: column.id, ...suspicion }]));
  });
}

interface Context {
  readonly dataset: Dataset;
  readonly rows: RowSelection;
  readonly target: ExplorationTarget;
  readonly limits: SuspicionLimits;
}

type Finding = Omit<LeakageSuspicion, "feature"> | null;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

function tellsAlone({ auc, explained }: TargetRelation, { limits, target }: Context): Finding {
  const isBinary = target.task === "binary";
  const figure = isBinary ? (auc ?? 0) : explained;
  if (figure < (isBinary ? limits.auc : limits.explained)) return null;
  const seen = isBinary
    ? `By itself it has a ROC AUC of ${figure.toFixed(3)}`
    : `By itself it explains ${percent(figure)} of the target's entropy`;
  return { kind: "tells-alone", figure, says: `${seen}: check that it is known when the prediction is made.` };
}

/**
 * What a feature explains by itself, 0 … 1, on a scale on which features can be compared: of two classes how much better than chance it
 * ranks (2 AUC - 1), else the share of the target's entropy or, of numbers, of its variance.
 */
function alone({ auc, explained, pearson }: TargetRelation, { target }: Context): number {
  if (target.task === "binary") return Math.max(0, 2 * (auc ?? 0.5) - 1);
  return Math.max(explained, target.task === "regression" ? (pearson ?? 0) ** 2 : 0);
}

function farAboveRest(relations: readonly TargetRelation[], index: number, context: Context): Finding {
  const { from, ahead } = context.limits.alone;
  const figure = alone(relations[index], context);
  const others = relations.filter((_, other) => other !== index).map((relation) => alone(relation, context));
  if (others.length < FEW || figure < from || figure - Math.max(...others) < ahead) return null;
  const says = `By itself it explains ${percent(figure)}, the next best feature ${percent(Math.max(...others))}: check that it is known when the prediction is made.`;
  return { kind: "far-above-rest", figure, says };
}

function equalsTarget({ pearson, spearman: rho }: TargetRelation, { limits, target }: Context): Finding {
  const figure = Math.max(Math.abs(pearson ?? 0), target.task === "regression" ? Math.abs(rho ?? 0) : 0);
  if (figure < limits.correlation) return null;
  const says = `Its correlation with the target is ${figure.toFixed(3)}: check that it is not the target in other words.`;
  return { kind: "equals-target", figure, says };
}

/** Whether the rows with, or those without, a value are nearly all of one class, which all rows are not. */
function missingByClass(column: FeatureColumn, { rows, target, limits }: Context): Finding {
  if (target.task === "regression") return null;
  const isMissing = Array.from(rows, (row) => isMissingAt(column, row));
  const overall = largestClass(target.values, () => true);
  if (overall.share >= limits.classShare) return null;
  for (const missing of [true, false]) {
    const { rows: count, share, label } = largestClass(target.values, (position) => isMissing[position] === missing);
    if (count < MIN_ROWS || count > rows.length - MIN_ROWS || share < limits.classShare) continue;
    const where = missing ? "missing" : "there";
    return {
      kind: "missing-by-class",
      figure: share,
      says: `Where it is ${where} (${count} rows), ${percent(share)} are of class ${label}, of all rows ${percent(shareOf(target.values, label))}: check whether it is filled in because of the outcome.`,
    };
  }
  return null;
}

const isMissingAt = (column: FeatureColumn, row: number): boolean =>
  column.kind === "numeric" ? !Number.isFinite(column.values[row]) : column.codes[row] < 0;

function largestClass(
  labels: ArrayLike<number>,
  counts: (position: number) => boolean,
): { readonly rows: number; readonly share: number; readonly label: number } {
  const totals = new Map<number, number>();
  let rows = 0;
  for (let position = 0; position < labels.length; position++) {
    if (!counts(position)) continue;
    rows += 1;
    totals.set(labels[position], (totals.get(labels[position]) ?? 0) + 1);
  }
  let [label, most] = [0, 0];
  for (const [each, total] of totals) if (total > most) [label, most] = [each, total];
  return { rows, share: rows === 0 ? 0 : most / rows, label };
}

function shareOf(labels: ArrayLike<number>, label: number): number {
  let rows = 0;
  for (let position = 0; position < labels.length; position++) if (labels[position] === label) rows += 1;
  return rows / labels.length;
}

/** A schedule may lie after the prediction; an outcome does too, and by how much says what it was. */
function timing(column: FeatureColumn, { dataset, rows, target, limits }: Context): Finding[] {
  if (column.kind !== "numeric") return [];
  const known = rows.reduce((count, row) => count + (Number.isFinite(column.values[row]) ? 1 : 0), 0);
  if (known < MIN_ROWS) return [];
  const atLabel = rows.reduce((count, row) => count + (Math.abs(column.values[row] - dataset.labelAt[row]) < MINUTE ? 1 : 0), 0);
  const findings: Finding[] = [];
  if (atLabel / known >= limits.labelTime) {
    const figure = atLabel / known;
    const says = `In ${percent(figure)} of the rows it is the minute in which the label became known: check that it is not written with the outcome.`;
    findings.push({ kind: "is-label-time", figure, says });
  }
  const later = rows.reduce((count, row) => count + (column.values[row] > dataset.at[row] ? 1 : 0), 0);
  const auc = later === 0 || target.task !== "binary" ? null : aucOfLead(column.values, dataset, rows, target);
  if (auc !== null && auc >= limits.auc) {
    const says = `It is later than the prediction in ${percent(later / known)} of the rows, and by how much has a ROC AUC of ${auc.toFixed(3)}: check that it is a plan and not an outcome.`;
    findings.push({ kind: "after-prediction", figure: auc, says });
  }
  return findings;
}

function aucOfLead(values: Float64Array, { at }: Dataset, rows: RowSelection, target: ExplorationTarget): number | null {
  const positions = Array.from(rows.keys()).filter((position) => Number.isFinite(values[rows[position]]));
  const lead = Float64Array.from(positions, (position) => values[rows[position]] - at[rows[position]]);
  const auc = rocAuc(
    Uint8Array.from(positions, (position) => target.values[position]),
    lead,
  );
  return auc === undefined ? null : Math.max(auc, 1 - auc);
}

function tellsTime(column: FeatureColumn, { dataset, rows, limits }: Context): Finding {
  if (column.kind !== "numeric") return null;
  const rho = spearman(
    Float64Array.from(rows, (row) => column.values[row]),
    Float64Array.from(rows, (row) => dataset.at[row]),
  );
  const figure = Math.abs(rho ?? 0);
  if (figure < limits.timeCorrelation || rows.length < MIN_ROWS) return null;
  const says = `It rises or falls with time (rank correlation ${figure.toFixed(3)}): a model can only remember the periods it was trained on.`;
  return { kind: "tells-time", figure, says };
}

function identifiesRows(column: FeatureColumn, { rows, limits }: Context): Finding {
  if (column.kind !== "categorical") return null;
  const known = Array.from(rows, (row) => column.codes[row]).filter((code) => code >= 0);
  const figure = known.length < MIN_ROWS ? 0 : new Set(known).size / known.length;
  if (figure < limits.distinct) return null;
  const says = `Of its values ${percent(figure)} are there once: it tells rows apart, and says nothing about new ones.`;
  return { kind: "identifies-rows", figure, says };
}
