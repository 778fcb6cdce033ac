import type { MetadataStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { formatTimestamp, type Micros } from "../core/time.ts";
import type { MonitorOutput } from "./stages/monitor.ts";

/** A condition can come back after it was resolved, so the key of an alert is the condition and when it was opened. */
const SEPARATOR = " | ";
const conditionOf = (dedupeKey: string): string => dedupeKey.split(SEPARATOR)[1] ?? "";

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
    const open = await db
      .selectFrom("alerts")
      .select(["id", "dedupe_key"])
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("endpoint", "=", endpoint)
      .where("status", "!=", "resolved")
      .execute();
    let opened = 0;
    for (const alert of alerts) {
      const known = open.find(({ dedupe_key }) => conditionOf(dedupe_key) === alert.dedupeKey);
      if (known !== undefined) {
        await db
          .updateTable("alerts")
          .set({ causes: JSON.stringify(alert.causes), severity: alert.severity })
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("id", "=", known.id)
          .execute();
        continue;
      }
      const inserted = await db
        .insertInto("alerts")
        .values({
          ...scope,
          id: `alert-${endpoint}-${alert.dedupeKey}-${formatTimestamp(now)}`.replace(/[^\w.-]+/g, "-"),
          endpoint,
          kind: alert.kind,
          severity: alert.severity,
          status: "open",
          title: alert.title,
          since: alert.since,
          opened_at: now,
          resolved_at: null,
          causes: JSON.stringify(alert.causes),
          triggered_run_id: null,
          dedupe_key: `${endpoint}${SEPARATOR}${alert.dedupeKey}${SEPARATOR}${formatTimestamp(now)}`,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (Number(inserted.numInsertedOrUpdatedRows ?? 0) > 0) opened++;
    }
    const over = open
      .filter(({ dedupe_key }) => !alerts.some(({ dedupeKey }) => dedupeKey === conditionOf(dedupe_key)))
      .map(({ id }) => id);
    if (over.length > 0) {
      await db
        .updateTable("alerts")
        .set({ status: "resolved", resolved_at: now })
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "in", over)
        .execute();
    }
    return { opened, resolved: over.length };
  });
}
