import type { FeatureConsistency } from "../features/index.ts";
import { formatTimestamp, type Micros } from "../time.ts";
import type { AlertDraft } from "./alerts.ts";

/** What a comparison of online reads and logged predictions with the offline values found; JSON. */
export interface ConsistencyReport {
  readonly formatVersion: 1;
  readonly at: Micros;
  /** Fresh reads of the online store, all views together. */
  readonly online: readonly FeatureConsistency[];
  readonly endpoints: readonly {
    readonly endpoint: string;
    /** Predictions since then that were to be drawn from. */
    readonly since: Micros;
    readonly predictions: number;
    readonly features: readonly FeatureConsistency[];
    /** Features whose definition is another one since; what was logged of them is not compared. */
    readonly changed: readonly string[];
  }[];
}

/** Condition of every alert about consistency begins with this, and those about freshness with that. */
export const CONSISTENCY_ALERTS = "consistency:";
export const FRESHNESS_ALERTS = "fresh-within:";

/** One alert for each view or function of which a value was wrong: online, or in what predictions were made of. */
export function consistencyAlerts({ at, online, endpoints }: ConsistencyReport): AlertDraft[] {
  const found = [
    ...online.map((feature) => ({ where: "read online", feature })),
    ...endpoints.flatMap(({ endpoint, features }) => features.map((feature) => ({ where: `logged by ${endpoint}`, feature }))),
  ].filter(({ feature }) => feature.mismatched > 0);
  const groups = Map.groupBy(found, ({ feature: { feature } }) => groupOf(feature));
  return [...groups].map(([view, group]): AlertDraft => {
    const features = [...new Set(group.map(({ feature }) => feature.feature))];
    const share = Math.max(...group.map(({ feature }) => feature.mismatched / feature.compared));
    const evidence = group.map(
      ({ where, feature }) => `${feature.feature} in ${feature.mismatched} of ${feature.compared} ${where}`,
    );
    return {
      kind: "quality",
      severity: share > CRITICAL_SHARE ? "critical" : "warning",
      title: `Values of ${view} differ from the offline ones in up to ${percent(share)}`,
      since: at,
      dedupeKey: `${CONSISTENCY_ALERTS}${view}`,
      causes: [
        {
          subject: `view ${view}`,
          kind: "consistency",
          since: at,
          score: share,
          cost: null,
          evidence: `${evidence.slice(0, 5).join("; ")}${evidence.length > 5 ? `; ${evidence.length - 5} more` : ""}`,
          features,
          windows: 1,
          seasonal: false,
        },
      ],
    };
  });
}

const CRITICAL_SHARE = 0.01;
const groupOf = (id: string): string => (id.startsWith("on-demand.") ? id : (id.split(".", 1)[0] ?? id));
const percent = (share: number): string => `${(100 * share).toPrecision(2)}%`;

/** How fresh the online values of a view are, and how fresh they shall be. */
export interface ViewFreshness {
  readonly view: string;
  readonly features: readonly string[];
  readonly freshWithin: Micros | null;
  /** Up to when the online values were made; null before the first time. */
  readonly materializedUntil: Micros | null;
  /** The newest event that was seen, in the future of none; null where there was none or the source has no time. */
  readonly newestEventAt: Micros | null;
  /** Whether the source says when its rows happened: without, only the materialization can be late. */
  readonly timed: boolean;
}

/**
 * Time since the newest event that was seen; since the online values were last brought up to date where the source's rows have no time.
 * Null before the first time, and before the first event.
 */
export function ageOf({ materializedUntil, newestEventAt, timed }: ViewFreshness, now: Micros): Micros | null {
  if (materializedUntil === null) return null;
  const from = timed ? newestEventAt : materializedUntil;
  return from === null ? null : Math.max(0, now - from);
}

/** One alert for each view that is older than its objective allows; a view that was never materialized has no age. */
export function freshnessAlerts(views: readonly ViewFreshness[], now: Micros): AlertDraft[] {
  return views.flatMap((each): AlertDraft[] => {
    const { view, freshWithin, materializedUntil, features } = each;
    const age = ageOf(each, now);
    if (freshWithin === null || age === null || materializedUntil === null || age <= freshWithin) return [];
    const since = now - age + freshWithin;
    const late = now - materializedUntil > freshWithin;
    const evidence = late
      ? `the online values were made up to ${formatTimestamp(materializedUntil)}, and not since`
      : `the newest event online is of ${formatTimestamp(now - age)}, though the values were made up to ${formatTimestamp(materializedUntil)}`;
    return [
      {
        kind: "quality",
        severity: age > 2 * freshWithin ? "critical" : "warning",
        title: `${view} is not fresh any more since ${formatTimestamp(since)}`,
        since,
        dedupeKey: `${FRESHNESS_ALERTS}${view}`,
        causes: [
          {
            subject: `view ${view}`,
            kind: "freshness",
            since,
            score: age / freshWithin,
            cost: null,
            evidence,
            features,
            windows: 1,
            seasonal: false,
          },
        ],
      },
    ];
  });
}
