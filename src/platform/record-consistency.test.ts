import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../adapters/metadata/sqlite.ts";
import type { FeatureConsistency } from "../core/features/index.ts";
import type { AlertDraft, ConsistencyReport } from "../core/monitoring/index.ts";
import { type MetadataStore, VirtualClock } from "../core/ports/index.ts";
import { HOUR } from "../core/time.ts";
import { NO_ENDPOINT, recordAlerts } from "./record-alerts.ts";
import { consistencyReports, recordConsistency } from "./record-consistency.ts";

const SCOPE = { workspace: "w", project: "p" };

let folder: string;
let store: MetadataStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-consistency-"));
  store = await openSqlite({ path: join(folder, "metadata.db"), clock: new VirtualClock(0) });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const compared = (feature: string, mismatched: number): FeatureConsistency => ({
  feature,
  compared: 200,
  mismatched,
  stale: 0,
  examples: [],
});
const report = (at: number, online: readonly FeatureConsistency[]): ConsistencyReport => ({
  formatVersion: 1,
  at,
  online,
  endpoints: [{ endpoint: "e", since: 0, predictions: 200, features: [compared("sold.price", 0)], changed: [] }],
});
const alerts = () =>
  store.db.selectFrom("alerts").select(["endpoint", "kind", "severity", "status", "title", "causes"]).execute();

describe("a report of consistency", () => {
  test("is kept, newest first, the last one of a moment", async () => {
    await recordConsistency(store, SCOPE, report(HOUR, [compared("sold.price", 3)]));
    await recordConsistency(store, SCOPE, report(2 * HOUR, []));
    await recordConsistency(store, SCOPE, report(HOUR, [compared("sold.price", 0)]));
    expect(await consistencyReports(store, SCOPE, 10)).toEqual([report(2 * HOUR, []), report(HOUR, [compared("sold.price", 0)])]);
    expect(await consistencyReports(store, { ...SCOPE, project: "other" }, 10)).toEqual([]);
  });

  test("opens one alert for each view with wrong values, which ends with them", async () => {
    const wrong = report(HOUR, [compared("sold.price", 1), compared("sold.units", 4), compared("info.seats", 0)]);
    expect(await recordConsistency(store, SCOPE, wrong)).toEqual({ opened: 1, resolved: 0 });
    expect(await recordConsistency(store, SCOPE, { ...wrong, at: 2 * HOUR })).toEqual({ opened: 0, resolved: 0 });
    const [alert] = await alerts();
    expect(alert).toMatchObject({
      endpoint: NO_ENDPOINT,
      kind: "quality",
      severity: "critical",
      status: "open",
      title: "Values of sold differ from the offline ones in up to 2.0%",
    });
    expect(JSON.parse(alert.causes)).toMatchObject([
      {
        subject: "view sold",
        evidence: "sold.price in 1 of 200 read online; sold.units in 4 of 200 read online",
        features: ["sold.price", "sold.units"],
      },
    ]);
    expect(await recordConsistency(store, SCOPE, report(3 * HOUR, []))).toEqual({ opened: 0, resolved: 1 });
    expect((await alerts()).map(({ status }) => status)).toEqual(["resolved"]);
  });

  test("leaves alerts about something else alone", async () => {
    const other: AlertDraft = {
      kind: "quality",
      severity: "warning",
      title: "sold is not fresh",
      since: 0,
      dedupeKey: "fresh-within:sold",
      causes: [],
    };
    await store.transaction((db) => recordAlerts(db, SCOPE, { endpoint: NO_ENDPOINT, about: "fresh-within:" }, [other], 0));
    await recordConsistency(store, SCOPE, report(HOUR, []));
    expect((await alerts()).map(({ status }) => status)).toEqual(["open"]);
  });
});
