import { type FeatureViewDefinition, viewFeatures } from "../core/definitions/index.ts";
import { viewVersions } from "../core/features/index.ts";
import { FRESHNESS_ALERTS, freshnessAlerts, type ViewFreshness } from "../core/monitoring/index.ts";
import type { Platform } from "./platform.ts";
import { NO_ENDPOINT, recordAlerts } from "./record-alerts.ts";

/** How fresh the online values of every view are, and those of its earlier versions that something reads. @throws FEATURE_RECORD_CORRUPT */
export async function viewFreshness({ project, scope, ...platform }: Pick<Platform, "project" | "scope" | "online">) {
  const online = platform.online();
  const views = project.features.map(async (view): Promise<ViewFreshness[]> => {
    const versions = online === null ? [] : await viewVersions(online, scope, view.name);
    const fixed = {
      view: view.name,
      features: viewFeatures(view).map(([name]) => `${view.name}.${name}`),
      freshWithin: view.freshWithin ?? null,
      timed: view.source.eventTime !== undefined,
    };
    if (versions.length === 0) return [{ ...fixed, materializedUntil: null, newestEventAt: null }];
    return versions
      .filter(({ current, unusedSince }) => current || unusedSince === null)
      .map(({ current, version, materializedUntil, newestEventAt }) => ({
        ...fixed,
        view: current ? view.name : `${view.name} version ${version}`,
        materializedUntil,
        newestEventAt,
      }));
  });
  return (await Promise.all(views)).flat();
}

/** Opens an alert for each view that is older than it may be, and resolves those of views that are fresh again. */
export async function recordFreshness(platform: Pick<Platform, "project" | "scope" | "online" | "store" | "clock">) {
  const { store, scope, clock } = platform;
  const now = clock.now();
  const alerts = freshnessAlerts(await viewFreshness(platform), now);
  const about = { endpoint: NO_ENDPOINT, about: FRESHNESS_ALERTS };
  return store.transaction((db) => recordAlerts(db, scope, about, alerts, now));
}

/** How often a project's views are looked at: twice within the shortest time that one may be old. Null: none has such a time. */
export function freshnessEvery(views: readonly Pick<FeatureViewDefinition, "freshWithin">[]): number | null {
  const limits = views.flatMap(({ freshWithin }) => freshWithin ?? []);
  return limits.length === 0 ? null : Math.max(1_000_000, Math.floor(Math.min(...limits) / 2));
}
