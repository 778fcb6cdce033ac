import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { ColumnType } from "./columns.ts";
import { definitionErrors } from "./errors.ts";

export type AggregateFunction = "count" | "sum" | "mean" | "min" | "max" | "std" | "rate" | "count-distinct" | "first" | "last";

/** One value over a window (t - window, t] of event time, of the rows known at t. */
export interface AggregateDefinition<T extends ColumnType = ColumnType> {
  readonly type: T;
  readonly fn: AggregateFunction;
  /** SQL scalar expression over the source's columns; booleans count as 0 and 1. `null` for count of rows. */
  readonly expression: string | null;
  readonly window: Micros;
  /** Of `last`, which one from the newest on: 1 is the newest. Absent: 1. */
  readonly nth?: number;
}

/**
 * A function over one window or several. One window: the feature has the name it is given; several: name_1h, name_24h. N values of
 * `lastN`: name_1 (the newest) to name_N. N is 0 where it is one value.
 */
export interface WindowedAggregate<
  T extends ColumnType = ColumnType,
  W extends readonly Duration[] = readonly Duration[],
  N extends number = number,
> {
  readonly type: T;
  readonly fn: AggregateFunction;
  readonly expression: string | null;
  readonly windows: W;
  readonly values: N;
}

interface Windowless<T extends ColumnType, N extends number = 0> {
  /** The windows' lengths, such as "24h"; each gives features of its own. */
  over<const W extends readonly [Duration, ...Duration[]]>(...windows: W): WindowedAggregate<T, W, N>;
}

const windowless = <T extends ColumnType, N extends number>(
  fn: AggregateFunction,
  type: T,
  expression: string | null,
  values: N,
): Windowless<T, N> => ({ over: (...windows) => ({ type, fn, expression, windows, values }) });

const ofNumbers =
  (fn: AggregateFunction) =>
  (expression: string): Windowless<"float64"> =>
    windowless(fn, "float64", expression, 0);

export const mean = ofNumbers("mean");
export const sum = ofNumbers("sum");
export const min = ofNumbers("min");
export const max = ofNumbers("max");
/** Sample standard deviation (n - 1); null with fewer than two values. */
export const std = ofNumbers("std");
/** Share (0…1) of the window's rows where the condition is true, of those where it is null too; null without rows. */
export const rate = ofNumbers("rate");
/** Rows in the window, or rows where the expression is true. 0 where there are none. */
export const count = (expression: string | null = null): Windowless<"int64"> => windowless("count", "int64", expression, 0);
/** Different values in the window; null is none. 0 where there are none. */
export const countDistinct = (expression: string): Windowless<"int64"> => windowless("count-distinct", "int64", expression, 0);
/** The value of the window's oldest row that has one. `type` is the expression's. */
export const first = <const T extends ColumnType = "float64">(expression: string, type?: T): Windowless<T> =>
  windowless("first", typeOr(type), expression, 0);
/** The value of the window's newest row that has one. `type` is the expression's. */
export const last = <const T extends ColumnType = "float64">(expression: string, type?: T): Windowless<T> =>
  windowless("last", typeOr(type), expression, 0);
/**
 * The values of the window's newest rows that have one, as features name_1 (the newest) to name_n; null where there are fewer.
 * @throws DEFINITION_VALUE_INVALID unless n is a whole number from 1 to 100
 */
export function lastN<const N extends number, const T extends ColumnType = "float64">(
  expression: string,
  n: N,
  type?: T,
): Windowless<T, N> {
  if (!Number.isInteger(n) || n < 1 || n > 100)
    throw definitionErrors.DEFINITION_VALUE_INVALID(`lastN("${expression}", ${n}) asks for ${n} values, not for 1 to 100`);
  return windowless("last", typeOr(type), expression, n);
}

// The type parameter is "float64" where it is not inferred from an argument.
const typeOr = <T extends ColumnType>(type: T | undefined): T => type ?? ("float64" as T);

type ByWindow<Name extends string, W extends readonly Duration[]> = W extends readonly [Duration] ? Name : `${Name}_${W[number]}`;
type UpTo<N extends number, Counted extends 0[] = []> = Counted["length"] extends N
  ? never
  : [...Counted, 0]["length"] | UpTo<N, [...Counted, 0]>;
type ByValue<Name extends string, N extends number> = number extends N
  ? Name | `${Name}_${number}`
  : N extends 0
    ? Name
    : `${Name}_${Extract<UpTo<N>, number>}`;

export type Aggregates = Readonly<Record<string, WindowedAggregate>>;

/** The types of all features that some aggregates make, by their names. */
export type AggregateTypes<A extends Aggregates> = {
  readonly [K in keyof A & string as ByValue<ByWindow<K, A[K]["windows"]>, A[K]["values"]>]: A[K]["type"];
};

/**
 * Each feature that some aggregates make, by its name, in order.
 * @throws TIME_DURATION_INVALID
 */
export function aggregateFeatures(aggregates: Aggregates): (readonly [name: string, definition: AggregateDefinition])[] {
  return Object.entries(aggregates).flatMap(([name, { type, fn, expression, windows, values }]) =>
    windows.flatMap((window) => {
      const named = windows.length === 1 ? name : `${name}_${window}`;
      const one: AggregateDefinition = { type, fn, expression, window: durationToMicros(window) };
      if (values === 0) return [[named, one] as const];
      return Array.from({ length: values }, (_, index) => [`${named}_${index + 1}`, { ...one, nth: index + 1 }] as const);
    }),
  );
}
