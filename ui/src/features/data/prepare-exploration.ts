import type { SourceExploration } from "../../../../src/contract/index.ts";

export interface CorrelationCell {
  readonly row: string;
  readonly column: string;
  /** -1…1; null where one of the two is constant. */
  readonly value: number | null;
}

/** As many columns as can be read in one picture: those that go most with any other. */
const MOST_COLUMNS = 20;

/** Every pair of columns, both ways round, by Spearman where there is one; empty where there is no pair. */
export function correlationCells({ correlations }: Pick<SourceExploration, "correlations">): CorrelationCell[] {
  const found = correlations.find(({ method }) => method === "spearman") ?? correlations[0];
  if (found === undefined || found.features.length < 2) return [];
  const { features, values } = found;
  const strongest = (row: number) => Math.max(0, ...values[row].map((value, at) => (at === row ? 0 : Math.abs(value ?? 0))));
  const shown = features
    .map((_, place) => place)
    .sort((a, b) => strongest(b) - strongest(a))
    .slice(0, MOST_COLUMNS)
    .sort((a, b) => a - b);
  return shown.flatMap((row) =>
    shown.map((column) => ({ row: features[row], column: features[column], value: values[row][column] })),
  );
}

/** At most so much of a colour that a figure can be read on it. */
const STRONGEST_COLOUR = 60;

/** A colour that says sign and strength in both themes. */
export function correlationColour(value: number | null): string {
  if (value === null) return "var(--o-sunken)";
  return `color-mix(in srgb, var(${value < 0 ? "--o-high" : "--o-low"}) ${Math.round(STRONGEST_COLOUR * Math.abs(value))}%, var(--o-surface))`;
}

export interface Bar {
  readonly name: string;
  /** 0…1. */
  readonly share: number;
  readonly title: string;
}

const MOST_BARS = 12;
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;

/** Which columns are missing together, in what share of all rows; the most frequent first. */
export function missingBars({ missingness, profile }: Pick<SourceExploration, "missingness" | "profile">): Bar[] {
  return missingness.patterns
    .filter(({ columns }) => columns.length > 0)
    .toSorted((a, b) => b.rows - a.rows)
    .slice(0, MOST_BARS)
    .map(({ columns, rows }) => {
      const share = profile.rows === 0 ? 0 : rows / profile.rows;
      return { name: columns.join(" + "), share, title: `${columns.join(", ")}: ${rows} rows (${percent(share)})` };
    });
}

/** How much of the target each column explains, the strongest first; empty without a target. */
export function targetBars({ target }: Pick<SourceExploration, "target">): Bar[] {
  return (target?.relations ?? [])
    .toSorted((a, b) => b.explained - a.explained)
    .slice(0, MOST_BARS)
    .map(({ feature, explained, spearman, auc }) => ({
      name: feature,
      share: explained,
      title: [
        `${feature} explains ${percent(explained)}`,
        ...(spearman === null ? [] : [`Spearman ${spearman.toFixed(2)}`]),
        ...(auc === null ? [] : [`AUC alone ${auc.toFixed(3)}`]),
      ].join("\n"),
    }));
}

/** Columns that can be asked about as a target: what has one value, or another in every row, says nothing. */
export const targetChoices = ({ profile }: Pick<SourceExploration, "profile">): string[] =>
  profile.columns
    .filter(({ type, distinct }) => distinct > 1 && (type !== "string" || distinct <= 1_000) && type !== "timestamp")
    .map(({ name }) => name);
