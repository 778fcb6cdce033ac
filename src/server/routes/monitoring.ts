import type { Alert } from "../../contract/index.ts";
import type { PerformanceReport, RankedCause } from "../../core/monitoring/index.ts";
import type { AlertTable } from "../../core/ports/index.ts";
import { platformErrors } from "../../platform/errors.ts";
import type { Platform } from "../../platform/platform.ts";
import type { MonitoredWindow } from "../../platform/stages/monitor.ts";
import type { RoomHandlers } from "../handlers.ts";
import { estimates, finite, optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function monitoringHandlers({ platform }: RouteContext): RoomHandlers<"monitoring"> {
  return {
    async get({ name }) {
      if (!platform.project.endpoints.some((endpoint) => endpoint.name === name))
        throw platformErrors.PROJECT_ENDPOINT_UNKNOWN(`The project has no endpoint "${name}"`);
      const [windows, cohorts, alerts] = await Promise.all([
        results<MonitoredWindow>(platform, name, "drift"),
        results<PerformanceReport>(platform, name, "performance"),
        readAlerts(platform, { endpoint: name }),
      ]);
      return { endpoint: name, drift: driftMatrix(windows), performance: performanceWindows(windows, cohorts), alerts };
    },
    async alerts({ status }) {
      return { items: await readAlerts(platform, status === undefined ? {} : { status }) };
    },
    async acknowledge({ id }) {
      const { workspace, project } = platform.scope;
      await platform.store.db
        .updateTable("alerts")
        .set({ status: "acknowledged" })
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "=", id)
        .where("status", "=", "open")
        .execute();
      const [alert] = await readAlerts(platform, { id });
      if (alert === undefined) throw platformErrors.PROJECT_ALERT_UNKNOWN(`There is no alert "${id}"`);
      return alert;
    },
  };
}

async function results<T>({ store, scope }: Platform, endpoint: string, kind: "drift" | "performance"): Promise<T[]> {
  const rows = await store.db
    .selectFrom("monitor_results")
    .select("report")
    .where("workspace", "=", scope.workspace)
    .where("project", "=", scope.project)
    .where("endpoint", "=", endpoint)
    .where("kind", "=", kind)
    .orderBy("window_start")
    .execute();
  return rows.map(({ report }) => JSON.parse(report) as T);
}

/** Newest first. */
export async function readAlerts(
  { store, scope }: Platform,
  where: Partial<Pick<AlertTable, "id" | "endpoint" | "status">>,
): Promise<Alert[]> {
  let query = store.db
    .selectFrom("alerts")
    .selectAll()
    .where("workspace", "=", scope.workspace)
    .where("project", "=", scope.project);
  if (where.id !== undefined) query = query.where("id", "=", where.id);
  if (where.endpoint !== undefined) query = query.where("endpoint", "=", where.endpoint);
  if (where.status !== undefined) query = query.where("status", "=", where.status);
  const rows = await query.orderBy("opened_at", "desc").execute();
  return rows.map((row) => ({
    id: row.id,
    endpoint: row.endpoint,
    kind: row.kind,
    severity: row.severity,
    status: row.status,
    title: row.title,
    since: time(row.since),
    openedAt: time(row.opened_at),
    resolvedAt: optionalTime(row.resolved_at),
    causes: (JSON.parse(row.causes) as RankedCause[]).map(({ subject, kind, since, score, cost, evidence, features }) => ({
      subject,
      kind,
      since: time(since),
      score: finite(score) ?? 0,
      cost: finite(cost),
      evidence,
      features: [...features],
    })),
    triggeredRun: row.triggered_run_id,
  }));
}

function driftMatrix(windows: readonly MonitoredWindow[]) {
  const reports = windows.flatMap(({ report }) => (report.drift === null ? [] : [report.drift]));
  const names = new Map(reports.flatMap(({ features }) => features.map(({ feature, seasonal }) => [feature, seasonal] as const)));
  return {
    windows: reports.map(({ start, end, rows }) => ({ start: time(start), end: time(end), rows })),
    rows: [
      ...[...names].map(([feature, seasonal]) => ({
        feature,
        seasonal,
        scores: reports.map(({ features }) => finite(features.find((each) => each.feature === feature)?.score)),
      })),
      { feature: "prediction", seasonal: false, scores: reports.map(({ prediction }) => finite(prediction.score)) },
    ],
  };
}

function performanceWindows(windows: readonly MonitoredWindow[], cohorts: readonly PerformanceReport[]) {
  return windows.map(({ report, latencyMs }) => {
    const cohort = cohorts.find(({ start }) => start === report.start);
    return {
      start: time(report.start),
      end: time(report.end),
      predictions: cohort?.predictions ?? report.drift?.rows ?? 0,
      labelCoverage: cohort?.coverage ?? null,
      censored: cohort?.censored ?? 0,
      metrics: estimates(cohort?.evaluation?.metrics ?? {}),
      estimatedRocAuc: finite(report.estimated?.rocAuc),
      latencyP50Ms: finite(latencyMs?.p50),
      latencyP99Ms: finite(latencyMs?.p99),
    };
  });
}
