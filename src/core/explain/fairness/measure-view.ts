import { type Decision, equalWidthBin, type RankedRows, rankingMetrics, rankRows } from "../../training/index.ts";
import { type Disparity, disparitiesOf } from "./disparities.ts";
import { countOutcomes, decideFrom, type GroupRates, groupRates } from "./group-rates.ts";
import type { ProtectedGroups } from "./protected-groups.ts";

export const GROUP_METRICS = [
  "selection_rate",
  "base_rate",
  "true_positive_rate",
  "false_negative_rate",
  "false_positive_rate",
  "true_negative_rate",
  "precision",
  "accuracy",
  "roc_auc",
  "mean_probability",
  "ece",
] as const;

export type GroupMetric = (typeof GROUP_METRICS)[number];

/** Figures of one group; absent where undefined. */
export interface GroupFigures extends GroupRates {
  readonly roc_auc?: number;
  /** Beside base_rate: whether the group is predicted too much or too little. */
  readonly mean_probability?: number;
  /** Over 10 equal-width bins. */
  readonly ece?: number;
}

export interface Rules {
  readonly minRows: number;
  readonly minOutcomes: number;
}

/** A group that is judged. */
interface Member {
  /** Its index in the view's groups. */
  readonly index: number;
  readonly values: readonly (string | null)[];
  readonly rows: Uint32Array;
  readonly positives: number;
  readonly ranked: RankedRows;
}

/** Groups of one or several protected columns, sorted once, to be measured under many weights. */
export interface View {
  readonly groups: ProtectedGroups;
  readonly rules: Rules;
  readonly acts: Uint8Array;
  /** Most rows first. */
  readonly judged: readonly Member[];
  /** Most rows first. */
  readonly tooSmall: readonly { readonly values: readonly (string | null)[]; readonly rows: number }[];
}

interface Predicted {
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
  readonly decision: Decision;
}

export function prepareView(groups: ProtectedGroups, { labels, probabilities, decision }: Predicted, rules: Rules): View {
  const members = rowsByGroup(groups)
    .map((rows, index) => ({ index, values: groups.values[index], rows }))
    .sort((a, b) => b.rows.length - a.rows.length || a.index - b.index);
  const judged = members
    .filter(({ rows }) => rows.length >= rules.minRows)
    .map((member): Member => {
      const own = Uint8Array.from(member.rows, (row) => labels[row]);
      const ranked = rankRows(
        own,
        Float64Array.from(member.rows, (row) => probabilities[row]),
      );
      return { ...member, positives: own.reduce((sum, label) => sum + label, 0), ranked };
    });
  return {
    groups,
    rules,
    acts: decideFrom(probabilities, decision.threshold),
    judged,
    tooSmall: members
      .filter(({ rows }) => rows.length < rules.minRows)
      .map(({ values, rows }) => ({ values, rows: rows.length })),
  };
}

function rowsByGroup({ values, group }: ProtectedGroups): Uint32Array[] {
  const counts = new Uint32Array(values.length);
  for (const each of group) counts[each]++;
  const rows = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < group.length; row++) rows[group[row]][counts[group[row]]++] = row;
  return rows;
}

export interface MeasuredView {
  /** Of each judged group. */
  readonly groups: readonly GroupFigures[];
  readonly disparities: Partial<Record<Disparity, number>>;
}

/** @param weights by row; null: each counts once */
export function measureView(view: View, { labels }: Predicted, weights: Float64Array | null): MeasuredView {
  const rates = groupRates(countOutcomes(view.groups, labels, view.acts, weights));
  const groups = view.judged.map((member) => ({
    ...lawfulRates(rates[member.index], member, view.rules),
    ...scoreFigures(member, view.rules, weights),
  }));
  return { groups, disparities: disparitiesOf(groups) };
}

const hasPositives = ({ positives }: Member, { minOutcomes }: Rules) => positives >= minOutcomes;
const hasNegatives = ({ rows, positives }: Member, { minOutcomes }: Rules) => rows.length - positives >= minOutcomes;

function lawfulRates(rates: GroupRates, member: Member, rules: Rules): GroupRates {
  const { true_positive_rate, false_negative_rate, false_positive_rate, true_negative_rate, ...others } = rates;
  return {
    ...others,
    ...(hasPositives(member, rules) &&
      true_positive_rate !== undefined &&
      false_negative_rate !== undefined && { true_positive_rate, false_negative_rate }),
    ...(hasNegatives(member, rules) &&
      false_positive_rate !== undefined &&
      true_negative_rate !== undefined && { false_positive_rate, true_negative_rate }),
  };
}

function scoreFigures(member: Member, rules: Rules, weights: Float64Array | null): Omit<GroupFigures, keyof GroupRates> {
  const { ranked, rows } = member;
  const weighted =
    weights === null ? ranked : { ...ranked, weight: Float64Array.from(ranked.order, (place) => weights[rows[place]]) };
  const area = hasPositives(member, rules) && hasNegatives(member, rules) ? rankingMetrics(weighted)?.roc_auc : undefined;
  return { ...(area !== undefined && { roc_auc: area }), ...calibrationOf(weighted) };
}

const BINS = 10;

function calibrationOf({ rows, score, label, weight }: RankedRows): { mean_probability?: number; ece?: number } {
  const gap = new Float64Array(BINS);
  let total = 0;
  let probability = 0;
  for (let place = 0; place < rows; place++) {
    const own = weight === null ? 1 : weight[place];
    total += own;
    probability += own * score[place];
    gap[equalWidthBin(score[place], BINS)] += own * (score[place] - label[place]);
  }
  if (total === 0) return {};
  return { mean_probability: probability / total, ece: gap.reduce((sum, each) => sum + Math.abs(each), 0) / total };
}
