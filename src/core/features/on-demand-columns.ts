import type { ColumnType, OnDemandDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { type AskTable, fieldColumn } from "./ask-table.ts";
import { featureErrors } from "./errors.ts";
import { integerOf } from "./integers.ts";
import { definedOnDemand, loadOnDemand, type OnDemandFunction } from "./on-demand.ts";
import type { ExactValue, FeaturePlan, PlannedOnDemand } from "./plan.ts";
import { columnOf, type FeatureArray, featureArray, integerArray, valueAt } from "./view-rows.ts";

/** Rows on which the rebuilt function is compared with the definition's own. */
const COMPARED_ROWS = 200;

type Argument = readonly [name: string, valueAt: (row: number) => ExactValue];

/**
 * Adds each on-demand feature of the plan to the columns, computed by the functions that serving will run.
 * @throws FEATURE_ON_DEMAND_DIFFERS, FEATURE_ON_DEMAND_FAILED, FEATURE_ON_DEMAND_TYPE, FEATURE_ON_DEMAND_NOT_SELF_CONTAINED
 */
export async function evaluateOnDemand(
  engine: TableEngine,
  plan: FeaturePlan,
  definitions: ReadonlyMap<string, OnDemandDefinition>,
  asks: AskTable,
  columns: Map<string, FeatureArray>,
): Promise<void> {
  const request = await requestColumns(engine, plan, asks);
  for (const planned of plan.onDemand) {
    const inputs = planned.inputs.map(({ name, id }) => argument(name, columns.get(id)));
    const fields = Object.keys(planned.request).map((field) => argument(field, request.get(field)));
    const args = [...inputs, ...fields];
    const compute = loadOnDemand(planned);
    const definition = definitions.get(planned.name);
    if (definition !== undefined) compare(planned, compute, definedOnDemand(planned, definition), args, asks.rows);
    columns.set(`on-demand.${planned.name}`, evaluate(compute, args, planned.returns, asks.rows));
  }
}

async function requestColumns(engine: TableEngine, plan: FeaturePlan, asks: AskTable): Promise<Map<string, FeatureArray>> {
  const fields = new Map(plan.onDemand.flatMap(({ request }) => Object.entries(request)));
  if (fields.size === 0) return new Map();
  const names = [...fields.keys()].map((field) => fieldColumn(asks, field));
  const table = await engine.query(`SELECT ${names.join(", ")} FROM ${asks.name} ORDER BY __ordinal`);
  return new Map([...fields].map(([field, type], index) => [field, featureArray(columnOf(table, names[index]), type, field)]));
}

function argument(name: string, column: FeatureArray | undefined): Argument {
  if (column === undefined) return [name, () => null];
  return [name, (row) => valueAt(column, row)];
}

const rowOf = (args: readonly Argument[], row: number): Record<string, ExactValue> => {
  const given: Record<string, ExactValue> = {};
  for (const [name, valueAt] of args) given[name] = valueAt(row);
  return given;
};

function evaluate(compute: OnDemandFunction, args: readonly Argument[], type: ColumnType, rows: number): FeatureArray {
  if (type === "string") {
    const values = new Array<string | null>(rows);
    for (let row = 0; row < rows; row++) {
      const value = compute(rowOf(args, row));
      values[row] = typeof value === "string" ? value : null;
    }
    return { type, values };
  }
  if (type === "int64") return integerArray(rows, (row) => integerOf(compute(rowOf(args, row))) ?? null);
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = compute(rowOf(args, row));
    values[row] = value === null ? Number.NaN : Number(value);
  }
  return { type, values };
}

function compare(
  planned: PlannedOnDemand,
  rebuilt: OnDemandFunction,
  defined: OnDemandFunction,
  args: readonly Argument[],
  rows: number,
): void {
  const step = Math.max(1, Math.floor(rows / COMPARED_ROWS));
  for (let row = 0; row < rows; row += step) {
    const given = rowOf(args, row);
    const one = rebuilt(given);
    const other = defined(given);
    if (one !== other) {
      throw featureErrors.FEATURE_ON_DEMAND_DIFFERS(
        `On-demand feature "${planned.name}" gives ${shown(one)} when rebuilt and ${shown(other)} as defined`,
      );
    }
  }
}

const shown = (value: ExactValue) => (typeof value === "string" ? JSON.stringify(value) : String(value));
