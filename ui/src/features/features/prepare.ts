import type { FeatureView } from "../../../../src/contract/index.ts";

/** Views that no pipeline has brought into the online store yet come first: they answer null. */
export const byFreshness = (views: readonly FeatureView[]): FeatureView[] =>
  [...views].sort((a, b) => (a.materializedUntil ?? "").localeCompare(b.materializedUntil ?? "") || a.name.localeCompare(b.name));

export const featureCount = (views: readonly FeatureView[]): number =>
  views.reduce((total, { features }) => total + features.length, 0);

/** How many versions besides the current one are read or kept. */
export const earlierVersionsText = (count: number): string =>
  count === 1 ? "and an earlier version" : `and ${count} earlier versions`;

/** "view.feature" without its view. */
export const localName = (id: string, view: string): string => (id.startsWith(`${view}.`) ? id.slice(view.length + 1) : id);
