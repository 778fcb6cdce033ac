import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { inReferenceOrder, type Snapshot } from "../data/index.ts";
import {
  count,
  entity,
  featureView,
  float64,
  int32,
  mean,
  onDemand,
  type SourceDefinition,
  source,
  string,
  timestamp,
} from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import { historicalFeatures } from "./historical-features.ts";
import { joinedRows } from "./joined-rows.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const planes = source.csv("planes", {
  path: "planes.csv",
  key: ["tailnum"],
  eventTime: "since",
  columns: { tailnum: string(), seats: int32() },
});
const flights = source.csv("flights", {
  path: "flights-*.csv",
  key: ["flight"],
  eventTime: "departs",
  availableTime: { default: "published", outcome: { columns: ["delay"], at: "landed" } },
  columns: { flight: string(), carrier: string(), tailnum: string().nullable(), delay: float64().nullable() },
});
const planeInfo = featureView("plane_info", {
  entity: entity("plane", { tailnum: string() }),
  source: planes,
  features: ["seats"],
});
const isLarge = onDemand("is_large", {
  inputs: [planeInfo.feature.seats],
  request: { departs: timestamp() },
  returns: "bool",
  compute: ({ seats, departs }) => (seats === null ? null : seats > 150 && departs.getTime() > 0),
});
const withPlane = source.joined("flights_with_plane", { base: flights, features: [planeInfo.feature.seats, isLarge] });
const carrierSeats = featureView("carrier_seats", {
  entity: entity("carrier", { carrier: string() }),
  source: withPlane,
  aggregate: {
    seats: mean("seats").over("30d"),
    large: count("is_large").over("30d"),
    late_seats: mean("CASE WHEN delay > 5 THEN seats END").over("30d"),
  },
});

const day = (n: number) => `2023-06-${String(n).padStart(2, "0")}`;
const write = () => {
  room.write("planes.csv", `tailnum,since,seats\nN1,${day(1)},100\nN2,${day(1)},200\nN1,${day(10)},180\n`);
  const header = "flight,carrier,tailnum,departs,published,landed,delay\n";
  room.write("flights-1.csv", `${header}a,UA,N1,${day(5)},${day(1)},${day(6)},9\nb,UA,N2,${day(6)},${day(1)},${day(7)},0\n`);
  room.write(
    "flights-2.csv",
    `${header}c,UA,N1,${day(12)},${day(1)},${day(13)},9\nd,UA,,${day(13)},${day(1)},${day(14)},\ne,UA,N1,${day(28)},${day(1)},${day(29)},\n`,
  );
};

/** Takes sources in, each after those that it is made of. */
async function ingestAll(
  sources: readonly SourceDefinition[],
  asOf: Micros,
  previous: ReadonlyMap<string, { snapshot: Snapshot }> = new Map(),
) {
  const taken = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  for (const each of inReferenceOrder(sources)) {
    const before = previous.get(each.name)?.snapshot;
    const snapshot = await room.ingest(each, {
      asOf,
      joined: (joined, origin) => joinedRows(room, joined, origin, taken, asOf),
      ...(before === undefined ? {} : { previous: before }),
    });
    taken.set(each.name, { snapshot, source: each });
  }
  return taken;
}
const rowsOf = async (taken: Awaited<ReturnType<typeof ingestAll>>, asOf?: Micros) => {
  const found = taken.get("flights_with_plane");
  if (found === undefined) throw new Error("not taken in");
  const columns = ["flight", "seats", "is_large", "joined_at"];
  const rows = await room.read(
    found.snapshot,
    withPlane,
    { columns, ...(asOf === undefined ? {} : { asOf }) },
    "ORDER BY flight",
  );
  return rows.map((row) => columns.map((column) => row[column]));
};

describe("a joined source", () => {
  test("has its base's rows with the features as of each row's event, and none of events to come", async () => {
    write();
    const taken = await ingestAll([withPlane, flights, planes], at(day(20)));
    expect(await rowsOf(taken)).toEqual([
      ["a", 100, false, at(day(5))],
      ["b", 200, true, at(day(6))],
      ["c", 180, true, at(day(12))],
      ["d", null, null, at(day(13))],
      ["e", null, null, null],
    ]);
  });

  test("knows the features from the event on, though its rows are published before", async () => {
    write();
    const taken = await ingestAll([withPlane, flights, planes], at(day(20)));
    expect(await rowsOf(taken, at(day(5)))).toEqual([
      ["a", 100, false, at(day(5))],
      ...["b", "c", "d", "e"].map((flight) => [flight, null, null, null]),
    ]);
  });

  test("takes a part in again only where its rows, what it is joined with or the time of its events has changed", async () => {
    write();
    const sources = [withPlane, flights, planes];
    const first = await ingestAll(sources, at(day(20)));
    const inputs = (taken: typeof first) =>
      taken.get("flights_with_plane")?.snapshot.parts.map(({ inputHash }) => inputHash) ?? [];
    const [past, future] = inputs(first);
    const later = await ingestAll(sources, at(day(21)), first);
    expect(inputs(later)[0]).toBe(past);
    expect(inputs(later)[1]).not.toBe(future);
    expect((await rowsOf(await ingestAll(sources, at(day(29)), later))).at(-1)).toEqual(["e", 180, true, at(day(28))]);
    room.write("planes.csv", `tailnum,since,seats\nN1,${day(1)},101\n`);
    const changed = await ingestAll(sources, at(day(21)), later);
    expect(inputs(changed)[0]).not.toBe(past);
    expect((await rowsOf(changed))[0]).toEqual(["a", 101, false, at(day(5))]);
    expect(room.leftovers()).toEqual([]);
  });

  test("is a source for views, which see a row's features together with what else they read of it", async () => {
    write();
    const taken = await ingestAll([withPlane, flights, planes], at(day(29)));
    const { columns } = await historicalFeatures(room, {
      features: carrierSeats.all(),
      snapshots: taken,
      entityRows: `SELECT 'UA' AS carrier, unnest([${[4, 5, 6, 12, 13].map((n) => `TIMESTAMP '${day(n)}'`).join(", ")}]) AS at`,
      asOf: at(day(29)),
    });
    expect(columns.get("carrier_seats.seats")?.values).toEqual(Float64Array.of(Number.NaN, 100, 150, 160, 160));
    expect(columns.get("carrier_seats.large")?.values).toEqual(Float64Array.of(0, 0, 1, 2, 2));
    // Flight a lands on the 6th, c on the 13th.
    expect(columns.get("carrier_seats.late_seats")?.values).toEqual(Float64Array.of(Number.NaN, Number.NaN, 100, 100, 140));
  });

  test("may be made of a joined source", async () => {
    write();
    const fleet = source.joined("fleet", { base: withPlane, features: [carrierSeats.feature.large] });
    const taken = await ingestAll([fleet, withPlane, flights, planes], at(day(20)));
    const snapshot = taken.get("fleet")?.snapshot;
    if (snapshot === undefined) throw new Error("not taken in");
    const rows = await room.read(snapshot, fleet, { columns: ["flight", "seats", "large"] }, "ORDER BY flight");
    expect(rows.map((row) => [row.flight, row.seats, row.large])).toEqual([
      ["a", 100, 0],
      ["b", 200, 1],
      ["c", 180, 2],
      ["d", null, 2],
      ["e", null, null],
    ]);
  });

  test("made of itself is refused with the way that leads back", () => {
    // Definitions are found by their names, so that even constants can lead back.
    const circular = featureView("circular", { source: { ...flights, name: "flights_with_plane" }, features: ["carrier"] });
    const inner = source.joined("inner", { base: planes, features: circular.all() });
    const outer: SourceDefinition = { ...withPlane, origin: { kind: "joined", base: inner, features: [] } };
    expect(() => inReferenceOrder([planes, inner, outer])).toThrow(
      expect.objectContaining({
        code: "DATA_SOURCE_CYCLE",
        message: expect.stringContaining("inner → flights_with_plane (by view circular) → inner"),
      }),
    );
  });

  test("is refused over a base without events, with a key that is not there, and where a name would stand twice", () => {
    const shops = source.csv("shops", { path: "-", columns: { tailnum: string(), seats: int32() } });
    expect(() => source.joined("x", { base: shops, features: [] })).toThrow(
      expect.objectContaining({ code: "DEFINITION_VALUE_INVALID" }),
    );
    const seats = source.csv("seats", { path: "-", eventTime: "at", columns: { seat: int32() } });
    // @ts-expect-error a base without the feature's key
    expect(() => source.joined("x", { base: seats, features: [planeInfo.feature.seats] })).toThrow(
      expect.objectContaining({
        code: "DEFINITION_VALUE_INVALID",
        message: expect.stringContaining('"tailnum" (string), which is absent'),
      }),
    );
    expect(() => source.joined("x", { base: planes, features: [planeInfo.feature.seats] })).toThrow(
      expect.objectContaining({ code: "DEFINITION_FEATURE_TWICE", message: expect.stringContaining('"seats"') }),
    );
  });
});
