import {
  type BinaryCharter,
  type CharterDefinition,
  type Criterion,
  isBinaryCharter,
  METRICS_OF,
  type MetricName,
  type ProjectDefinition,
  type TargetType,
} from "../definitions/index.ts";
import { unknownColumn } from "./check-source.ts";
import type { Findings } from "./finding.ts";

/** Whether the charter is one that the rest can be checked by: project files run without having been compiled. */
export function checkTarget({ charter }: ProjectDefinition, findings: Findings): boolean {
  const { target, decision, alternative } = charter;
  const types = Object.keys(METRICS_OF);
  if (!types.includes(target.type)) {
    findings.add("charter", "PROJECT_VALUE_INVALID", `The target's type is ${target.type}`, `Give one of ${types.join(", ")}.`);
    return false;
  }
  const isDecided = decision !== undefined && "when" in decision && alternative !== undefined;
  if (target.type === "binary" && !isDecided) {
    const hint = 'Say what is done from which probability on and what that is worth, and what one would do without: rule("…").';
    findings.add("charter", "PROJECT_VALUE_INVALID", "A binary target needs a decision and an alternative", hint);
    return false;
  }
  return true;
}

function thresholdProblem(when: BinaryCharter["decision"]["when"]): string | null {
  if (when.kind === "threshold") {
    return when.at >= 0 && when.at <= 1 ? null : `The decision's threshold is ${when.at} and must lie between 0 and 1`;
  }
  const { kind, ...figures } = when.goal;
  const isKnown = ["payoff", "f-beta", "youden", "recall-at-precision", "precision-at-recall", "share"].includes(kind);
  if (!isKnown) return `The decision's threshold is chosen for ${kind}, which is no goal`;
  for (const [name, value] of Object.entries(figures)) {
    const most = name === "beta" ? Number.MAX_VALUE : 1;
    if (!(value > 0 && value <= most))
      return `The decision's ${name} is ${value} and must be above 0${most === 1 ? ", at most 1" : ""}`;
  }
  return null;
}

/** The decision, the demands on the data, and criteria that the target's type has metrics for. */
export function checkCharter(project: ProjectDefinition, findings: Findings): void {
  const { charter } = project;
  if (isBinaryCharter(charter)) {
    const problem = thresholdProblem(charter.decision.when);
    if (problem !== null) findings.add("charter", "PROJECT_VALUE_INVALID", problem);
  }
  checkDataRequirements(project, charter, findings);
  for (const criterion of charter.accept) checkCriterion(project, criterion, findings);
}

function checkDataRequirements(project: ProjectDefinition, charter: CharterDefinition, findings: Findings): void {
  for (const requirement of charter.data) {
    const { kind } = requirement;
    const source = project.sources.find(({ name }) => name === requirement.source);
    if (source === undefined) {
      const what = `The requirement "${kind}" is about ${requirement.source}, which is not a source of the project`;
      findings.add("charter", "PROJECT_REFERENCE_UNKNOWN", what);
    } else if (kind === "coverage") {
      for (const column of [requirement.key, requirement.hour])
        if (!(column in source.contracts)) findings.add("charter", "PROJECT_COLUMN_UNKNOWN", unknownColumn(source, column));
      if (source.contracts[requirement.hour]?.type !== "timestamp")
        findings.add("charter", "PROJECT_COLUMN_TYPE", `Coverage counts hours of ${requirement.hour}, which is no timestamp`);
    } else if (kind === "fresh" && source.eventTime === undefined) {
      findings.add("charter", "PROJECT_COLUMN_UNKNOWN", `${source.name} has no event time, so it cannot be fresh`);
    }
  }
}

function checkCriterion({ charter, models }: ProjectDefinition, criterion: Criterion, findings: Findings): void {
  if (criterion.kind === "latency") return;
  if (criterion.kind === "approval") {
    if (!Number.isInteger(criterion.count) || criterion.count < 1)
      findings.add(
        "charter",
        "PROJECT_VALUE_INVALID",
        `A version cannot be approved by ${criterion.count} people`,
        "Ask for one or more.",
      );
    return;
  }
  const { type } = charter.target;
  checkMetric("charter", "A criterion", criterion.metric, type, findings);
  if (criterion.kind === "better-than" && criterion.than === "alternative" && charter.alternative === undefined) {
    const what = `A criterion compares ${criterion.metric} with the alternative, and a ${type} target has none`;
    findings.add("charter", "PROJECT_REFERENCE_UNKNOWN", what, "Compare with the baseline: betterThanBaseline().");
  }
  if (criterion.kind !== "worst-segment") return;
  const { segment, minPositives } = criterion;
  for (const { name, segments } of models)
    if (!segments.includes(segment)) {
      const what = `A criterion is about the segment ${segment}, which ${name} does not break its results down by`;
      findings.add("charter", "PROJECT_REFERENCE_UNKNOWN", what, "Add it to the model's explain: { segments: […] }.");
    }
  if (type !== "binary" && minPositives > 0) {
    const what = `The criterion on ${segment} counts positive labels, and a ${type} target has none`;
    findings.add("charter", "PROJECT_VALUE_INVALID", what, `Count rows: segment("${segment}", { minRows: … }).`);
  }
}

export function checkMetric(where: string, what: string, metric: MetricName, type: TargetType, findings: Findings): void {
  if (METRICS_OF[type].includes(metric)) return;
  const hint = `Take one of ${METRICS_OF[type].join(", ")}.`;
  findings.add(where, "PROJECT_METRIC_UNKNOWN", `${what} is about ${metric}, which is no metric of a ${type} target`, hint);
}
