import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, float64, int32, source, string, timestamp } from "../definitions/index.ts";
import { expressionColumns } from "./index.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
  await room.engine.run("CREATE TABLE precious AS SELECT 1 AS x");
});
afterAll(() => room.close());

const flights = source.parquet("flights", {
  path: "flights.parquet",
  columns: {
    arr_delay: float64(),
    Carrier: string(),
    cancelled: bool(),
    seats: int32(),
    departs: timestamp(),
    "odd \"name'": float64(),
  },
});
const facts = (expression: string) => expressionColumns(room.engine, flights, expression);

describe("a scalar expression", () => {
  test.each<[string, string[], string]>([
    ["arr_delay >= 15", ["arr_delay"], "BOOLEAN"],
    ["cancelled or arr_delay > 60 AND seats is not null", ["arr_delay", "cancelled", "seats"], "BOOLEAN"],
    ["CASE WHEN cancelled THEN 0 ELSE arr_delay END", ["arr_delay", "cancelled"], "DOUBLE"],
    ["carrier IN ('AA', 'it''s')", ["Carrier"], "BOOLEAN"],
    ['"odd ""name\'" * 2', ["odd \"name'"], "DOUBLE"],
    ["date_part('hour', departs)", ["departs"], "BIGINT"],
    ["coalesce(seats, 0) + 1", ["seats"], "INTEGER"],
    ["seats::DOUBLE / nullif(arr_delay, 0)", ["arr_delay", "seats"], "DOUBLE"],
    ["true", [], "BOOLEAN"],
    ["arr_delay > 1 -- an hour late\n + 59", ["arr_delay"], "BOOLEAN"],
  ])("%s reads its columns and has its type", async (expression, columns, sqlType) => {
    expect(await facts(expression)).toEqual({ columns, sqlType });
  });
});

describe("anything but one scalar expression is refused, and nothing of it is run", () => {
  test.each<[string, string]>([
    ["", "is empty"],
    ["arr_delay >=", "cannot be read"],
    ["arr_delay, seats", "is not one expression"],
    ["1); DROP TABLE precious; --", "cannot be read|is not one expression"],
    ["1; DROP TABLE precious", "cannot be read|is not one expression"],
    ["1) FROM precious UNION SELECT (x", "is not one expression|cannot be read"],
    ["1) + (2", "cannot be read"],
    ["1 -- comment", "cannot be read"],
    ["1 /* comment", "cannot be read"],
    ["arr_delay AS x", "cannot be read|gives itself a name"],
    ["(SELECT max(x) FROM precious)", "has a subquery"],
    ["EXISTS (SELECT 1)", "has a subquery"],
    ["avg(arr_delay)", "has the aggregate avg"],
    ["COUNT(*)", "has the aggregate count_star"],
    ["row_number() OVER ()", "has a window function"],
    ["RANDOM() < 0.5", "calls random"],
    ["departs < now()", "calls now"],
    ["departs < current_timestamp", "reads"],
    ["unnest([1, 2])", "calls unnest"],
    ["getvariable('x')", "calls getvariable"],
    ["#1", "names a column by its place"],
    ["*", "star"],
    ["COLUMNS('a.*') > 0", "star"],
    ["arr_delay > $1", "parameter"],
    ["flights.arr_delay", 'reads "flights.arr_delay"'],
    ["arr_dely >= 15", 'did you mean "arr_delay"\\?'],
    ["precious > 1", "is not a declared column \\(there are arr_delay, "],
    ["no_such_function(arr_delay)", "does not fit the columns"],
    ["carrier + cancelled", "does not fit the columns"],
  ])("%s", async (expression, why) => {
    await expect(facts(expression)).rejects.toMatchObject({
      code: "DATA_EXPRESSION_INVALID",
      kind: "invalid",
      message: expect.stringMatching(new RegExp(why)),
    });
    expect(await room.engine.rows("SELECT x FROM precious")).toEqual([{ x: 1 }]);
  });
});
