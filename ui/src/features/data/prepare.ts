import type { Profile, Snapshot } from "../../../../src/contract/index.ts";
import { formatCount, formatDay } from "../../components/format.ts";

type Column = Profile["columns"][number];

/** Heights of a histogram's bars, 0…1 of its highest; empty where there is nothing to draw. */
export function barHeights(histogram: Column["histogram"]): number[] {
  const highest = Math.max(0, ...(histogram?.counts ?? []));
  return highest === 0 ? [] : (histogram?.counts ?? []).map((count) => count / highest);
}

/** Share of a column's rows that are null; 0 for an empty table. */
export const nullShare = (column: Column, rows: number): number => (rows === 0 ? 0 : column.nulls / rows);

/** The most frequent values with their share of all rows. */
export const topShares = (column: Column, rows: number): { value: string; share: number }[] =>
  column.top.slice(0, 4).map(({ value, count }) => ({ value, share: rows === 0 ? 0 : count / rows }));

/** What erasures took out of a snapshot: "41 rows, last on 2026-11-25"; empty where none did. */
export function erasedText({ erased }: Pick<Snapshot, "erased">): string {
  const last = erased.at(-1);
  if (last === undefined) return "";
  const rows = erased.reduce((sum, each) => sum + each.rows, 0);
  return `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}, last on ${formatDay(last.at)}`;
}

/** All violations over all sources, most rows first. */
export const allViolations = (snapshots: readonly Snapshot[]) =>
  snapshots
    .flatMap(({ source, violations }) => violations.map((violation) => ({ source, ...violation })))
    .sort((a, b) => b.rows - a.rows);

/** What was expected of each source's rows together, broken first, then what could not be judged. */
export const allExpectations = (snapshots: readonly Snapshot[]) =>
  snapshots
    .flatMap(({ source, expectations }) => expectations.map((verdict) => ({ source, ...verdict })))
    .sort((a, b) => rank(a.kept) - rank(b.kept));

const rank = (kept: boolean | null): number => (kept === false ? 0 : kept === null ? 1 : 2);

/** Columns that sources deliver otherwise than they declare, by source. */
export const otherColumns = (snapshots: readonly Snapshot[]): { name: string; says: string }[] =>
  snapshots.flatMap(({ source, schema }) => [
    ...(schema?.undeclared ?? []).map(({ column, type }) => ({
      name: `${source}.${column}`,
      says: `not declared${type === null ? "" : ` (${type})`}`,
    })),
    ...(schema?.retyped ?? []).map(({ column, declared, delivered }) => ({
      name: `${source}.${column}`,
      says: `declared as ${declared}, delivered as ${delivered}`,
    })),
  ]);
