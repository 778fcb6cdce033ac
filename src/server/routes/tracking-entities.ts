import type { MetricValue } from "../../contract/index.ts";
import type { LoggedMetric, LoggedModel, MetricPoint, RunRecord, RunSummary } from "../../core/tracking/index.ts";
import { estimates, optionalTime, time } from "./entity-values.ts";

type NotFinite = Extract<MetricValue, string>;

const notFinite = (value: number): NotFinite => (Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
export const wireNumber = (value: number): MetricValue => (Number.isFinite(value) ? value : notFinite(value));

/** A metric as the wire has it, as the rooms take it. */
export function metricOf(metric: {
  key: string;
  value: MetricValue;
  low?: number | null | undefined;
  high?: number | null | undefined;
  step?: number | undefined;
  at?: number | undefined;
  modelId?: string | undefined;
  dataset?: { name: string; digest: string } | undefined;
}): LoggedMetric {
  const { step, at, value, ...rest } = metric;
  return { ...rest, value: Number(value), ...(step !== undefined && { step }), ...(at !== undefined && { at }) };
}

export const pointEntity = ({ value, low, high, step, at }: MetricPoint) => ({ value: wireNumber(value), low, high, step, at });

export const runEntity = (run: RunSummary) => ({
  id: run.id,
  name: run.name,
  experiment: run.experiment,
  experimentId: run.experimentId,
  status: run.status,
  lifecycle: run.lifecycle,
  parentRunId: run.parentRunId,
  startedAt: time(run.startedAt),
  endedAt: optionalTime(run.endedAt),
  actor: run.actor,
  userName: run.userName,
  metrics: estimates(run.metrics),
  notFinite: Object.fromEntries(
    Object.entries(run.metrics).flatMap(([key, { value }]) => (Number.isFinite(value) ? [] : [[key, notFinite(value)]])),
  ),
  tags: { ...run.tags },
});

/** Names in the order of their code points, each with its value of every run. */
function sideBySide<T>(tables: readonly Readonly<Record<string, T>>[]) {
  const names = [...new Set(tables.flatMap((table) => Object.keys(table)))].sort();
  return names.map((name) => {
    const values = tables.map((table) => table[name] ?? null);
    return { name, values, differs: values.some((value) => value !== values[0]) };
  });
}

export const comparisonEntity = (runs: readonly RunRecord[]) => ({
  runs: runs.map(({ id, name, experiment, status, startedAt }) => ({ id, name, experiment, status, startedAt: time(startedAt) })),
  params: sideBySide(runs.map(({ params }) => params)),
  metrics: sideBySide(
    runs.map(({ metrics }) => Object.fromEntries(Object.entries(metrics).map(([key, { value }]) => [key, wireNumber(value)]))),
  ),
  tags: sideBySide(runs.map(({ tags }) => tags)),
});

export const loggedModelEntity = (model: LoggedModel) => ({
  id: model.id,
  experimentId: model.experimentId,
  name: model.name,
  artifactLocation: model.artifactLocation,
  status: model.status,
  modelType: model.modelType,
  sourceRunId: model.sourceRunId,
  createdAt: time(model.createdAt),
  updatedAt: time(model.updatedAt),
  params: { ...model.params },
  tags: { ...model.tags },
  metrics: model.metrics.map((metric) => ({ ...metric, value: wireNumber(metric.value) })),
});
