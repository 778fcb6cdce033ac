import type { CategoryEncoding, EncodedColumn, FittedPreparation, NumberMap } from "./fitted-preparation.ts";

/** How packages of format 1 said what a column is made of. Never written again. */
type ColumnOfFormat1 =
  /** (x - mean) / scale, with missing replaced by `fill` first; `fill: null` keeps NaN. */
  | {
      readonly kind: "number";
      readonly feature: number;
      readonly fill: number | null;
      readonly mean: number;
      readonly scale: number;
    }
  /** 1 where the feature is missing. */
  | { readonly kind: "missing"; readonly feature: number }
  /** 1 where the feature is this category; `null` stands for all that have no column of their own. */
  | { readonly kind: "category"; readonly feature: number; readonly category: string | null }
  /** Category by rank; unseen gets `unseen`, missing NaN. */
  | {
      readonly kind: "rank";
      readonly feature: number;
      readonly ranks: Readonly<Record<string, number>>;
      readonly unseen: number;
    };

export interface PreparationOfFormat1 {
  readonly columns: readonly ColumnOfFormat1[];
}

/** The same figures in today's form. Columns are named by the position of their feature, because format 1 knew no names. */
export function migratePreparation({ columns: old }: PreparationOfFormat1): FittedPreparation {
  const encodings: CategoryEncoding[] = [];
  const add = (encoding: CategoryEncoding): number => encodings.push(encoding) - 1;
  const oneHot = new Map<number, { readonly encoding: number; readonly categories: readonly string[] }>();
  for (const [feature, categories] of categoriesOf(old)) {
    const values = categories.map((_, index) => index);
    oneHot.set(feature, { encoding: add({ categories, values, unseen: categories.length, missing: -1 }), categories });
  }

  const migrate = (column: ColumnOfFormat1): EncodedColumn => {
    const { feature } = column;
    const hot = oneHot.get(feature);
    switch (column.kind) {
      case "number":
        return { name: `${feature}`, categories: 0, source: { kind: "number", feature }, maps: numberMaps(column) };
      case "rank": {
        const entries = Object.entries(column.ranks);
        const encoding = add({
          categories: entries.map(([category]) => category),
          values: entries.map(([, rank]) => rank),
          unseen: column.unseen,
          missing: null,
        });
        return { name: `${feature}`, categories: 0, source: { kind: "encoded", feature, encoding }, maps: [] };
      }
      case "missing": {
        const name = `${feature} is missing`;
        if (hot === undefined) {
          return { name, categories: 0, source: { kind: "number", feature }, maps: [{ kind: "is-missing" }] };
        }
        return { name, categories: 0, source: { kind: "indicator", feature, encoding: hot.encoding, value: -1 }, maps: [] };
      }
      case "category": {
        const { encoding = 0, categories = [] } = hot ?? {};
        const value = column.category === null ? categories.length : categories.indexOf(column.category);
        const name = column.category === null ? `${feature} is rare` : `${feature}=${column.category}`;
        return { name, categories: 0, source: { kind: "indicator", feature, encoding, value }, maps: [] };
      }
    }
  };
  return { columns: old.map(migrate), encodings };
}

/** By feature that is one-hot: the categories with a column of their own. */
function categoriesOf(columns: readonly ColumnOfFormat1[]): ReadonlyMap<number, readonly string[]> {
  const categories = new Map<number, string[]>();
  for (const column of columns) {
    if (column.kind !== "category") continue;
    const known = categories.get(column.feature) ?? [];
    if (column.category !== null) known.push(column.category);
    categories.set(column.feature, known);
  }
  return categories;
}

function numberMaps({ fill, mean, scale }: Extract<ColumnOfFormat1, { kind: "number" }>): NumberMap[] {
  const maps: NumberMap[] = fill === null ? [] : [{ kind: "fill", value: fill }];
  if (mean !== 0 || scale !== 1) maps.push({ kind: "scale", center: mean, scale });
  return maps;
}
