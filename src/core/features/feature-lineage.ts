import { expressionColumns } from "../data/index.ts";
import { type FeatureReference, type SourceDefinition, storedView } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import type { FeaturePlan } from "./plan.ts";

/** Columns of sources, as "source.column", behind a feature; sorted. */
export interface FeatureOrigins {
  readonly feature: string;
  /** Columns that its value is computed from, and those that it is asked by. */
  readonly columns: readonly string[];
  /** Features that it is computed from: by an on-demand function, or as columns of a joined source. */
  readonly inputs: readonly string[];
}

/**
 * Which columns a feature comes from, through functions and joined sources down to what was delivered.
 * @throws DATA_EXPRESSION_INVALID
 */
export async function featureOrigins(engine: TableEngine, feature: FeatureReference): Promise<FeatureOrigins> {
  const columns = new Set<string>();
  const inputs = new Set<string>();
  const visit = async (reference: FeatureReference): Promise<void> => {
    const { from, name } = reference;
    if (from.kind === "on-demand") {
      for (const input of from.inputs) {
        inputs.add(input.id);
        await visit(input);
      }
      return;
    }
    const { source, entity, expressions, aggregates } = storedView(from);
    const expression = expressions[name]?.expression ?? aggregates[name]?.expression ?? null;
    const isColumn = !(name in expressions) && !(name in aggregates);
    const read = expression === null ? (isColumn ? [name] : []) : (await expressionColumns(engine, source, expression)).columns;
    for (const column of [...Object.keys(entity.keys), ...read]) await delivered(source, column);
  };
  const delivered = async ({ name, origin }: SourceDefinition, column: string): Promise<void> => {
    if (origin.kind !== "joined") {
      columns.add(`${name}.${column}`);
      return;
    }
    const joined = origin.features.find((each) => each.name === column);
    if (joined === undefined) return delivered(origin.base, column);
    inputs.add(joined.id);
    await visit(joined);
  };
  await visit(feature);
  return { feature: feature.id, columns: [...columns].sort(), inputs: [...inputs].sort() };
}

/** Ids of everything that a model reads or computes, under the names of the views that it asks. */
export const featuresOfPlan = (plan: FeaturePlan): ReadonlySet<string> =>
  new Set([
    ...plan.features.map(({ id }) => id),
    ...plan.views.flatMap(({ name, features }) => features.map((feature) => `${name}.${feature}`)),
    ...plan.onDemand.map(({ name }) => `on-demand.${name}`),
  ]);
