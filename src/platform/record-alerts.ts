import type { AlertDraft } from "../core/monitoring/index.ts";
import type { MetadataStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { formatTimestamp, type Micros } from "../core/time.ts";

/** A condition can come back after it was resolved, so the key of an alert is the condition and when it was opened. */
const SEPARATOR = " | ";
const conditionOf = (dedupeKey: string): string => dedupeKey.split(SEPARATOR)[1] ?? "";

/** Of alerts that belong to no endpoint: about the project's features. No endpoint is called so. */
export const NO_ENDPOINT = "";

/**
 * Opens alerts that are new and resolves those that no longer hold, among the endpoint's alerts whose condition begins with `about`. The
 * same again changes nothing.
 */
export async function recordAlerts(
  db: MetadataStore["db"],
  { workspace, project }: Scope,
  { endpoint, about = "" }: { readonly endpoint: string; readonly about?: string },
  alerts: readonly AlertDraft[],
  now: Micros,
): Promise<{ opened: number; resolved: number }> {
  const scope = { workspace, project };
  const unresolved = await db
    .selectFrom("alerts")
    .select(["id", "dedupe_key"])
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("endpoint", "=", endpoint)
    .where("status", "!=", "resolved")
    .execute();
  const open = unresolved.filter(({ dedupe_key }) => conditionOf(dedupe_key).startsWith(about));
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
        id: ["alert", ...(endpoint === NO_ENDPOINT ? [] : [endpoint]), alert.dedupeKey, formatTimestamp(now)]
          .join("-")
          .replace(/[^\w.-]+/g, "-"),
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
}
