import type { MetadataStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import { recordAlerts } from "./record-alerts.ts";
import type { MonitorOutput } from "./stages/monitor.ts";

/** Keeps what monitoring found; opens alerts that are new and resolves those that no longer hold. The same again changes nothing. */
export async function recordMonitoring(
  store: MetadataStore,
  { workspace, project }: Scope,
  endpoint: string,
  { windows, matured, alerts }: MonitorOutput,
  now: Micros,
): Promise<{ opened: number; resolved: number }> {
  const scope = { workspace, project };
  const row = (kind: "drift" | "performance", start: Micros, end: Micros, report: unknown) => ({
    ...scope,
    id: `${endpoint}:${kind}:${start}`,
    endpoint,
    window_start: start,
    window_end: end,
    kind,
    report: JSON.stringify(report),
    created_at: now,
  });
  const results = [
    ...windows.map((window) => row("drift", window.report.start, window.report.end, window)),
    ...matured.map((report) => row("performance", report.start, report.end, report)),
  ];
  return store.transaction(async (db) => {
    if (results.length > 0)
      await db
        .insertInto("monitor_results")
        .values(results)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    return recordAlerts(db, scope, { endpoint }, alerts, now);
  });
}
