import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { snapshotPaths } from "../data/index.ts";
import { type CharterDefinition, type DataRequirement, float64, needs, source, string } from "../definitions/index.ts";
import { checkRequirements, checkSources, type LocatedSnapshot } from "./index.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const weather = source.csv("weather", {
  path: "weather.csv",
  key: ["origin", "hour"],
  eventTime: "hour",
  availableTime: "published",
  columns: { origin: string(), temp: float64() },
});

/** Rows of (origin, hour of 1 January 2024), published an hour later. */
async function taken(
  rows: readonly (readonly [origin: string, hour: number])[],
  asOf: string,
): Promise<ReadonlyMap<string, LocatedSnapshot>> {
  const hour = (n: number) => `2024-01-01T${String(n).padStart(2, "0")}:00:00Z`;
  room.write(
    "weather.csv",
    `origin,temp,hour,published\n${rows.map(([origin, n]) => `${origin},20,${hour(n)},${hour(n + 1)}`).join("\n")}\n`,
  );
  const snapshot = await room.ingest(weather, { asOf: at(asOf) });
  return new Map([["weather", { snapshot, source: weather, paths: await snapshotPaths(room.artifacts, snapshot) }]]);
}
const charter = (requirements: readonly DataRequirement[]) =>
  // Only what is demanded of the data is read here.
  ({ data: requirements }) as unknown as CharterDefinition;
const verdict = async (requirements: readonly DataRequirement[], rows: readonly (readonly [string, number])[], now: string) =>
  (await checkRequirements(room.engine, charter(requirements), await taken(rows, now), at(now)))[0];

describe("what the charter demands of the data", () => {
  test("rows are those that could be known", async () => {
    const { requirements } = needs(weather).rows({ min: 2 });
    const rows = [
      ["EWR", 0],
      ["EWR", 1],
      ["EWR", 2],
    ] as const;
    expect(await verdict(requirements, rows, "2024-01-01T02:00:00Z")).toEqual({
      text: "weather has at least 2 rows",
      passed: true,
      observed: 2,
    });
    expect(await verdict(requirements, rows, "2024-01-01T01:30:00Z")).toMatchObject({ passed: false, observed: 1 });
  });

  test("freshness is that of the newest event that was known, not of one that merely happened", async () => {
    const { requirements } = needs(weather).freshWithin("2h");
    const rows = [
      ["EWR", 0],
      ["EWR", 5],
    ] as const;
    expect(await verdict(requirements, rows, "2024-01-01T05:30:00Z")).toMatchObject({
      passed: false,
      observed: "2024-01-01T00:00:00Z",
    });
    expect(await verdict(requirements, rows, "2024-01-01T06:00:00Z")).toMatchObject({
      passed: true,
      observed: "2024-01-01T05:00:00Z",
    });
    expect(await verdict(requirements, rows, "2024-01-01T07:00:00.000001Z")).toMatchObject({ passed: false });
  });

  test("coverage is the share of every key's hours between the first and the last that hold a row", async () => {
    const { requirements } = needs(weather).coverage("origin", "hour", 0.75);
    // Two airports over four hours are eight cells, of which six are there.
    const rows = [
      ["EWR", 0],
      ["EWR", 1],
      ["EWR", 2],
      ["EWR", 3],
      ["JFK", 0],
      ["JFK", 3],
    ] as const;
    expect(await verdict(requirements, rows, "2024-01-02")).toMatchObject({ passed: true, observed: 0.75 });
    expect(await verdict(requirements, rows.slice(0, 5), "2024-01-02")).toMatchObject({ passed: false, observed: 5 / 8 });
  });

  test("nothing that could be known meets no demand, and does not fail", async () => {
    const { requirements } = needs(weather).rows({ min: 1 }).freshWithin("1d").coverage("origin", "hour", 0);
    const early = "2023-01-01";
    const verdicts = await checkRequirements(room.engine, charter(requirements), await taken([["EWR", 0]], early), at(early));
    expect(verdicts.map(({ passed, observed }) => [passed, observed])).toEqual([
      [false, 0],
      [false, null],
      [false, null],
    ]);
  });

  test("a source or a column that is not there is an error, not a verdict", async () => {
    const located = await taken([["EWR", 0]], "2024-01-02");
    for (const requirement of [
      { kind: "rows", source: "tides", min: 1 },
      { kind: "coverage", source: "weather", key: "gate", hour: "hour", atLeast: 1 },
    ] as const) {
      await expect(checkRequirements(room.engine, charter([requirement]), located, at("2024-01-02"))).rejects.toMatchObject({
        code: "PROJECT_REQUIREMENT_UNKNOWN",
      });
    }
  });
});

test("a check of the files tells what would stop each source, once, in whatever order they are declared", async () => {
  const airports = source.csv("airports", { path: "airports.csv", columns: { code: string() } });
  const gates = source.csv("gates", { path: "gates.csv", columns: { airport: string().oneOf("airports.code") } });
  const engines = { engine: room.engine, artifacts: room.artifacts, tmpDirectory: room.tmpDirectory };
  const found = () => checkSources([gates, airports], engines, { projectDirectory: room.directory, now: at("2024-01-01") });
  room.write("gates.csv", "airport\nEWR\n");
  expect(await found()).toMatchObject([
    { where: "source airports", code: "PROJECT_DATA", message: expect.stringContaining("[DATA_FILE_MISSING]") },
  ]);
  room.write("airports.csv", "code\nEWR\n");
  expect(await found()).toEqual([]);
});
