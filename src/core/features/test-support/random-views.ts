import fc from "fast-check";
import {
  bool,
  type ColumnType,
  count,
  countDistinct,
  type EntityDefinition,
  entity,
  type FeatureReference,
  type FeatureViewDefinition,
  featureView,
  first,
  float64,
  int32,
  last,
  lastN,
  max,
  mean,
  min,
  rate,
  type SourceDefinition,
  source,
  sql,
  std,
  string,
  sum,
  timestamp,
} from "../../definitions/index.ts";
import { MINUTE, type Micros } from "../../time.ts";
import type { Expression, SourceRow } from "./oracle.ts";

const columns = {
  sale: int32().nullable(),
  void: bool().nullable(),
  shop: string().nullable(),
  till: int32().nullable(),
  price: float64().nullable(),
  rebate: float64().nullable(),
  refunded: bool().nullable(),
  note: string().nullable(),
  at: timestamp().nullable(),
  seen: timestamp().nullable(),
  settled: timestamp().nullable(),
};
export const columnTypes: Readonly<Record<string, ColumnType>> = Object.fromEntries(
  Object.entries(columns).map(([name, { contract }]) => [name, contract.type]),
);

const settled = { columns: ["rebate", "refunded"] as const, at: "settled" };
export const sources = {
  "own availability and a late group": source.parquet("sales", {
    path: "-",
    columns,
    eventTime: "at",
    availableTime: { default: "seen", settled },
  }),
  "a late group only": {
    ...source.parquet("sales", { path: "-", columns, eventTime: "at" }),
    availability: { groups: { settled } },
  } satisfies SourceDefinition,
  "known when it happens": source.parquet("sales", { path: "-", columns, eventTime: "at" }),
  "no event time": source.parquet("sales", { path: "-", columns, availableTime: { default: "seen", settled } }),
  "versions, deletions and a late group": {
    ...source.parquet("sales", {
      path: "-",
      columns,
      key: ["sale"],
      eventTime: "at",
      availableTime: { default: "seen", settled },
    }),
    deleted: "void",
  } satisfies SourceDefinition,
  "versions by event": source.parquet("sales", { path: "-", columns, key: ["sale"], eventTime: "at" }),
  "versions in order of delivery": source.parquet("sales", { path: "-", columns, key: ["sale"] }),
  "no time at all": source.parquet("sales", { path: "-", columns }),
} as const satisfies Record<string, SourceDefinition>;
export type SourceKind = keyof typeof sources;
export const sourceKinds = Object.keys(sources) as SourceKind[];

export const expressions: Readonly<Record<string, Expression>> = {
  price: { columns: ["price"], value: (row) => row.price ?? null },
  rebate: { columns: ["rebate"], value: (row) => row.rebate ?? null },
  refunded: { columns: ["refunded"], value: (row) => row.refunded ?? null },
  note: { columns: ["note"], value: (row) => row.note ?? null },
  settled: { columns: ["settled"], value: (row) => row.settled ?? null },
  "upper(note) || '-'": { columns: ["note"], value: ({ note }) => (note == null ? null : `${String(note).toUpperCase()}-`) },
  "price > 2": { columns: ["price"], value: ({ price }) => (price == null ? null : Number(price) > 2) },
  "price - rebate": {
    columns: ["price", "rebate"],
    value: ({ price, rebate }) => (price == null || rebate == null ? null : Number(price) - Number(rebate)),
  },
};

const entities: Readonly<Record<"shop" | "till" | "number", EntityDefinition>> = {
  shop: entity("shop", { shop: string() }),
  till: entity("till", { shop: string(), till: int32() }),
  number: entity("number", { till: int32() }),
};

/** A view with every kind of feature over one of the sources. Aggregates need event times. */
export function viewOver(kind: SourceKind, of: keyof typeof entities, window: number, ttl: number | null) {
  const definition: SourceDefinition = sources[kind];
  const timed = definition.eventTime !== undefined;
  const short = `${window}m` as const;
  const long = `${3 * window}m` as const;
  const made = featureView("sold", {
    entity: entities[of],
    // The sources differ in their times only.
    source: definition as (typeof sources)["known when it happens"],
    features: ["price", "rebate", "refunded", "note", "settled"],
    expressions: {
      is_dear: sql("price > 2", "bool"),
      tag: sql("upper(note) || '-'", "string"),
      net: sql("price - rebate", "float64"),
    },
    ...(timed
      ? {
          aggregate: {
            sales: count().over(short),
            dear: count("price > 2").over(long),
            refunds: count("refunded").over(short),
            refund_rate: mean("refunded").over(long),
            price_mean: mean("price").over(long),
            price_std: std("price").over(long),
            net_sum: sum("price - rebate").over(short),
            net_min: min("price - rebate").over(long),
            rebate_max: max("rebate").over(short),
            price_min: min("price").over(short),
            dear_rate: rate("price > 2").over(short, long),
            notes: countDistinct("note").over(short),
            prices: countDistinct("price").over(long),
            first_price: first("price").over(long),
            was_refunded: last("refunded", "bool").over(short),
            note_of: lastN("note", 2, "string").over(short, long),
            settled_at: last("settled", "timestamp").over(long),
          },
          ...(ttl === null ? {} : { ttl: `${ttl}m` as const }),
        }
      : {}),
  });
  const view: FeatureViewDefinition = made.definition;
  const features: readonly FeatureReference[] = made.all();
  return { view, features, names: features.map(({ name }) => name) };
}

/** Any decimals, of sizes that a window's sum can hold side by side. */
const amount = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => Math.round(value * 1e6) / 1e6);
const nullable = <T>(value: fc.Arbitrary<T>, freq = 6) => fc.option(value, { nil: null, freq });
/** Few moments, so that ties are common; some before 1970. */
export const moment = (from: number, to: number): fc.Arbitrary<Micros> =>
  fc.integer({ min: from, max: to }).map((minutes) => minutes * MINUTE);
// Two of them would be one key if they were joined carelessly.
export const shop = fc.constantFrom("a", "b", 'a","1', "a|1", "");

export const row = (from: number, to: number): fc.Arbitrary<SourceRow> =>
  fc
    .record({
      sale: fc.integer({ min: 1, max: 30 }),
      void: nullable(fc.boolean()),
      shop: nullable(shop, 10),
      till: nullable(fc.integer({ min: 1, max: 2 }), 10),
      price: nullable(fc.oneof(fc.integer({ min: 0, max: 5 }), amount(-1e6, 1e6))),
      rebate: nullable(fc.oneof(fc.integer({ min: 0, max: 3 }), amount(0, 1))),
      refunded: nullable(fc.boolean()),
      note: nullable(fc.constantFrom("x", "y", "ü'\"")),
      at: nullable(moment(from, to), 20),
      seenLate: nullable(fc.integer({ min: -3, max: 12 }), 12),
      settledLate: nullable(fc.integer({ min: -2, max: 30 }), 6),
    })
    .map(({ seenLate, settledLate, ...rest }) => ({
      ...rest,
      seen: seenLate === null ? null : (rest.at ?? 0) + seenLate * MINUTE,
      settled: settledLate === null ? null : (rest.at ?? 0) + settledLate * MINUTE,
    }));
