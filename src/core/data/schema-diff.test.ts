import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { float64, int32, int64, source, string } from "../definitions/index.ts";
import { schemaDiff } from "./schema-diff.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
  room.write("a.csv", "id,price,name,stays\n1,2,x,1\n");
  room.write("b.csv", "id,prices,city,stays\n1,2,x,1\n");
});
afterAll(() => room.close());

const before = source.csv("t", {
  path: "a.csv",
  columns: { id: int32(), price: float64(), name: string(), stays: int32().nullable({ atMost: 0.1 }) },
});
const after = source.csv("t", {
  path: "b.csv",
  columns: { id: int64(), prices: float64(), city: string().nullable(), stays: int32() },
});

describe("two snapshots", () => {
  test("differ in what was added, removed (with the name it may have now), retyped, and may be null", async () => {
    const [from, to] = [await room.ingest(before), await room.ingest(after)];
    expect(schemaDiff(from, to)).toEqual({
      added: [
        { column: "prices", type: "float64" },
        { column: "city", type: "string" },
      ],
      removed: [
        { column: "price", type: "float64", perhaps: "prices" },
        { column: "name", type: "string", perhaps: null },
      ],
      retyped: [{ column: "id", from: "int32", to: "int64" }],
      nullability: [{ column: "stays", from: 0.1, to: 0 }],
    });
  });

  test("of one definition do not differ, also where an old one does not say what may be null", async () => {
    const same = await room.ingest(before);
    const nothing = { added: [], removed: [], retyped: [], nullability: [] };
    expect(schemaDiff(same, same)).toEqual(nothing);
    expect(schemaDiff({ columns: same.columns }, same)).toEqual(nothing);
  });

  test("are told apart by columns that are called like what every object has", () => {
    expect(schemaDiff({ columns: {} }, { columns: { constructor: "string" as const } }).added).toEqual([
      { column: "constructor", type: "string" },
    ]);
  });
});
