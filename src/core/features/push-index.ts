import { createHash } from "node:crypto";
import { loggedText, type PushContract } from "../data/index.ts";
import type { ColumnType, FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import type { Column, LoggedRow, PushedRow, TableEngine } from "../ports/index.ts";
import type { CompiledView } from "./compile-view.ts";
import { entityKey, fingerprintOf } from "./online-view.ts";
import type { ExactValue } from "./plan.ts";
import { columnOf, featureArray, valueAt } from "./view-rows.ts";

export interface JudgedRow extends PushedRow {
  /** What of the contract stops the whole push; null for nothing. */
  readonly stops: string | null;
  /** Whether it is of somebody who was erased. */
  readonly blocked: boolean;
}

/** Whose rows a view's are: its key columns by their types. */
type KeySet = Readonly<Record<string, ColumnType>>;

/** A set of key columns as the log names it. */
export const keySetName = (keys: readonly string[]): string => JSON.stringify(keys);

/** Key sets of the views over a source, by name. */
export const keySetsOf = (source: SourceDefinition, views: readonly FeatureViewDefinition[]): ReadonlyMap<string, KeySet> =>
  new Map(
    views
      .filter((view) => view.source.name === source.name)
      .map(({ entity }) => [keySetName(Object.keys(entity.keys)), entity.keys] as const),
  );

/** Another one means that every row of the log has to be judged and found anew. */
export function pushIndexHash(source: SourceDefinition, keySets: ReadonlyMap<string, KeySet>): string {
  const { key, eventTime = null, availability, deleted = null, contracts } = source;
  const content = { version: 1, key, eventTime, availability, deleted, contracts, keySets: [...keySets].sort() };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** Of a view over pushed rows: they depend on how the log's rows are judged and found as well. */
export const pushedFingerprint = (view: CompiledView, index: string): string =>
  createHash("sha256")
    .update(fingerprintOf(view) + index)
    .digest("hex");

/** Judges rows by the source's contract, and says by what key and entities they are found. In the rows' order. */
export async function judgePushed(
  engine: TableEngine,
  source: SourceDefinition,
  contract: PushContract,
  keySets: ReadonlyMap<string, KeySet>,
  rows: readonly string[],
): Promise<JudgedRow[]> {
  const table = await engine.query(contract.query, [loggedText(rows.map((row, seq): LoggedRow => ({ seq, row })))]);
  const problems = textsOf(columnOf(table, "problem"));
  const stops = textsOf(columnOf(table, "stops"));
  const blocked = columnOf(table, "blocked");
  const typed = (types: KeySet) => {
    const columns = Object.entries(types).map(([name, type]) =>
      featureArray(columnOf(table, name), type, `${source.name}.${name}`),
    );
    return (row: number): ExactValue[] => columns.map((column) => valueAt(column, row));
  };
  const keyOf = typed(Object.fromEntries(source.key.map((column) => [column, source.contracts[column]?.type ?? "string"])));
  const entitiesOf = [...keySets].map(([keys, types]) => ({ keys, valuesOf: typed(types) }));
  return rows.map((row, at): JudgedRow => {
    const problem = problems[at];
    const isBlocked = blocked.type === "bool" && blocked.values[at] === 1;
    const sound = { row, problem, stops: stops[at], blocked: isBlocked };
    if (problem !== null) return { ...sound, key: null, entities: [] };
    return {
      ...sound,
      key: source.key.length === 0 ? null : entityKey("", keyOf(at)),
      entities: entitiesOf.flatMap(({ keys, valuesOf }) => {
        const entity = entityKey("", valuesOf(at));
        return entity === null ? [] : [{ keys, entity }];
      }),
    };
  });
}

function textsOf(column: Column): readonly (string | null)[] {
  if (column.type !== "string") throw new TypeError("A column of numbers where texts were asked for");
  return column.values;
}
