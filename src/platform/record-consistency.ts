import { CONSISTENCY_ALERTS, type ConsistencyReport, consistencyAlerts } from "../core/monitoring/index.ts";
import type { MetadataStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { NO_ENDPOINT, recordAlerts } from "./record-alerts.ts";

/** Keeps a report, opens an alert for each view with wrong values and resolves those of views that are right again. */
export async function recordConsistency(
  store: MetadataStore,
  { workspace, project }: Scope,
  report: ConsistencyReport,
): Promise<{ opened: number; resolved: number }> {
  const scope = { workspace, project };
  return store.transaction(async (db) => {
    await db
      .insertInto("monitor_results")
      .values({
        ...scope,
        id: `consistency:${report.at}`,
        endpoint: NO_ENDPOINT,
        window_start: report.at,
        window_end: report.at,
        kind: "quality",
        report: JSON.stringify(report),
        created_at: report.at,
      })
      // Another one at the same moment of a clock that stands still says what is so now.
      .onConflict((conflict) => conflict.columns(["workspace", "project", "id"]).doUpdateSet({ report: JSON.stringify(report) }))
      .execute();
    const about = { endpoint: NO_ENDPOINT, about: CONSISTENCY_ALERTS };
    return recordAlerts(db, scope, about, consistencyAlerts(report), report.at);
  });
}

/** The last reports, newest first. */
export async function consistencyReports(
  store: MetadataStore,
  { workspace, project }: Scope,
  limit: number,
): Promise<ConsistencyReport[]> {
  const rows = await store.db
    .selectFrom("monitor_results")
    .select("report")
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("endpoint", "=", NO_ENDPOINT)
    .where("kind", "=", "quality")
    .orderBy("window_start", "desc")
    .limit(limit)
    .execute();
  return rows.map(({ report }) => JSON.parse(report) as ConsistencyReport);
}
