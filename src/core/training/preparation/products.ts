import type { PreparationStep } from "../../definitions/index.ts";
import type { NumberDraft } from "./draft-column.ts";
import { multiply } from "./encode.ts";
import type { FitContext } from "./fit-context.ts";
import { type ColumnFormula, featuresOf } from "./fitted-preparation.ts";

type ProductsStep = Extract<PreparationStep, { kind: "products" }>;

/**
 * Products of any two columns of different features, and squares where the step says so: an indicator is its own square, and two columns
 * of one feature say little together that one does not say alone.
 *
 * @param others how many columns there are besides
 * @throws TRAIN_TOO_MANY_COLUMNS, TRAIN_MEMORY_WOULD_NOT_SUFFICE
 */
export function products(
  { squares }: ProductsStep,
  columns: readonly NumberDraft[],
  { requireRoom }: FitContext,
  others: number,
): NumberDraft[] {
  const pairs = columns.flatMap((a, index) =>
    columns
      .slice(index)
      .filter((b) => (a === b ? squares && !a.isIndicator : isDisjoint(a, b)))
      .map((b) => [a, b] as const),
  );
  requireRoom(
    others + columns.length + pairs.length,
    `${columns.length} columns make ${pairs.length} products`,
    "Name fewer features in polynomial(…) or interactions(…), or select features before.",
  );
  return pairs.map(([a, b]) => ({
    kind: "number",
    name: a === b ? `${a.name}^2` : `${a.name} x ${b.name}`,
    source: { kind: "product", of: [formulaOf(a), formulaOf(b)] },
    maps: [],
    values: multiply(a.values, b.values),
    isIndicator: a.isIndicator && b.isIndicator,
  }));
}

const isDisjoint = (a: NumberDraft, b: NumberDraft): boolean =>
  featuresOf(a).every((feature) => !featuresOf(b).includes(feature));

const formulaOf = ({ source, maps }: NumberDraft): ColumnFormula => ({ source, maps });
