import type { DistributionExpectation, SourceDefinition } from "../definitions/index.ts";
import { NUMERIC } from "./column-sql.ts";
import { dataErrors } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";

/** Whether what a source expects of its rows together can be kept at all. @throws DATA_CONTRACT_INVALID */
export function checkExpectations(source: SourceDefinition): void {
  const { name, contracts, expect } = source;
  if (expect === undefined) return;
  const refuse = (what: string) => dataErrors.DATA_CONTRACT_INVALID(`${name} expects ${what}`);
  const known = (column: string, what: string) => {
    const contract = contracts[column];
    if (contract !== undefined) return contract;
    const nearest = nearestName(column, Object.keys(contracts));
    const guess = nearest === null ? "" : `; did you mean "${nearest}"?`;
    throw refuse(`${what} of "${column}", which it does not declare${guess}`);
  };
  const { rows, freshWithin, unique, distribution } = expect;
  if (rows !== undefined) {
    const { min = 0, max = Number.POSITIVE_INFINITY } = rows;
    for (const bound of [min, max])
      if (!(bound >= 0) || (Number.isFinite(bound) && !Number.isInteger(bound)))
        throw refuse(`${bound} rows, which is no number of rows`);
    if (min > max) throw refuse(`at least ${min} and at most ${max} rows: no number is both`);
  }
  if (freshWithin !== undefined) {
    if (freshnessColumn(source) === null) throw refuse("to be fresh, and has neither eventTime nor availableTime");
    if (!(freshWithin.atMost > 0)) throw refuse("to be fresh within no time at all");
  }
  for (const { columns } of unique) {
    if (columns.length === 0) throw refuse("unique values of no column");
    for (const column of columns) known(column, "unique values");
  }
  for (const [column, limits] of Object.entries(distribution)) {
    const { type } = known(column, "a distribution");
    if (type === "timestamp" && (limits.psi !== undefined || limits.mean !== undefined))
      throw refuse(`a distribution of ${column}, a timestamp: time moves on. Bound its nullShare, or use freshWithin`);
    if (limits.mean !== undefined && !NUMERIC.has(type)) throw refuse(`a mean of ${column}, which is a ${type}`);
    checkLimits(column, limits, refuse);
  }
}

function checkLimits(column: string, { psi, mean, nullShare }: DistributionExpectation, refuse: (what: string) => Error): void {
  if (psi === undefined && mean === undefined && nullShare === undefined)
    throw refuse(`a distribution of ${column} without a limit: give psi, mean or nullShare`);
  for (const [limit, value] of Object.entries({ psi, mean, nullShare }))
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      throw refuse(`${limit} of ${column} to be at most ${value}: give a number above 0`);
}

/** What tells how fresh rows are: when they happened, or else when they were known. */
export const freshnessColumn = ({ eventTime, availability }: SourceDefinition): string | null =>
  eventTime ?? availability.default ?? null;
