import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { bool, defineProject, int32, type SourceDefinition, secret, source, string } from "../definitions/index.ts";
import type { SourceInputs } from "../ports/index.ts";
import { checkSource } from "./check-source.ts";
import { checkSources } from "./check-sources.ts";
import { collectFindings, type ProjectFinding } from "./finding.ts";
import { charter } from "./sound-project.fixture.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

describe("a source's definition", () => {
  const url = secret.env("NOWHERE");
  const columns = { id: int32(), name: string().nullable(), gone: bool() };
  const said = async (definition: SourceDefinition) => {
    const project = defineProject({
      name: "p",
      charter,
      sources: [definition],
      features: [],
      models: [],
    });
    const findings = collectFindings();
    await checkSource(room.engine, project, definition, findings);
    return findings.list.map(({ code, message }) => `${code}: ${message}`);
  };

  test("is sound for every origin", async () => {
    for (const definition of [
      source.postgres("s", { url, query: "SELECT 1", key: ["id"], columns, watermark: "id", deleted: "gone" }),
      source.rows("s", {
        rows: () => [],
        key: ["id"],
        columns,
        availableTime: "seen",
        watermark: { column: "seen", overlap: "1h" },
      }),
      source.rows("s", {
        rows: () => [],
        columns,
        availableTime: { default: "seen", outcome: { columns: ["name"], at: "settled" } },
        watermark: "settled",
      }),
      source.jsonLines("s", { path: "s3://bucket/x/*.jsonl", columns }),
      source.push("s", { key: ["id"], columns, eventTime: "at" }),
    ])
      expect(await said(definition)).toEqual([]);
  });

  test.each<[string, SourceDefinition]>([
    ["PROJECT_VALUE_INVALID: The query is empty", source.postgres("s", { url, query: " ", columns })],
    [
      'PROJECT_CONTRACT_INVALID: The watermark "idd" of s is not one of its columns',
      source.postgres("s", { url, query: "SELECT 1", columns, watermark: "idd" }),
    ],
    [
      'PROJECT_CONTRACT_INVALID: The watermark "name" of s may be null; declare it without nullable() and warn',
      source.postgres("s", { url, query: "SELECT 1", columns, watermark: "name" }),
    ],
    [
      "PROJECT_VALUE_INVALID: Only a timestamp can overlap, and id is none",
      source.postgres("s", { url, query: "SELECT 1", columns, watermark: { column: "id", overlap: "1h" } }),
    ],
    [
      "PROJECT_VALUE_INVALID: gone marks deletions, but without a key no row is deleted",
      source.csv("s", { path: "x.csv", columns, deleted: "gone" }),
    ],
    [
      "PROJECT_COLUMN_TYPE: name says what is deleted, but is declared as string",
      { ...source.csv("s", { path: "x.csv", key: ["id"], columns }), deleted: "name" },
    ],
    [
      'PROJECT_COLUMN_UNKNOWN: s does not declare gon; did you mean "gone"?',
      { ...source.csv("s", { path: "x.csv", key: ["id"], columns }), deleted: "gon" },
    ],
  ])("is found out: %s", async (finding, definition) => {
    expect(await said(definition)).toEqual([finding]);
  });
});

describe("what sources hold", () => {
  const check = (sources: readonly SourceDefinition[], inputs?: SourceInputs, found: readonly ProjectFinding[] = []) =>
    checkSources(
      sources,
      {
        engine: room.engine,
        artifacts: room.artifacts,
        tmpDirectory: room.tmpDirectory,
        ...(inputs === undefined ? {} : { inputs }),
      },
      { projectDirectory: room.directory, now: at("2024-01-01"), found },
    );

  test("is looked at by the first rows only where it is not a file here", async () => {
    let made = 0;
    const endless = source.rows("endless", {
      columns: { id: int32() },
      rows: function* () {
        for (;;) yield { id: made++ };
      },
    });
    expect(await check([endless])).toEqual([]);
    expect(made).toBe(1000);
  });

  test("is not judged by references to what was looked at in part", async () => {
    const numbers = source.rows("numbers", { columns: { id: int32() }, rows: () => [{ id: 1 }] });
    room.write("refers.csv", "id\n5000\n");
    const refers = source.csv("refers", { path: "refers.csv", columns: { id: int32().oneOf("numbers.id").onViolation("stop") } });
    expect(await check([numbers, refers])).toEqual([]);
  });

  test("is not judged where the definition is wrong already, nor through references to that", async () => {
    room.write("keyed.csv", "id\n1\n");
    const keyed = { ...source.csv("keyed", { path: "keyed.csv", key: ["id"], columns: { id: int32() } }), key: ["idd"] };
    const refers = source.csv("refers", { path: "keyed.csv", columns: { id: int32().oneOf("keyed.id") } });
    const findings = collectFindings();
    findings.add("source keyed", "PROJECT_COLUMN_UNKNOWN", "keyed does not declare idd");
    expect(await check([keyed, refers], undefined, findings.list)).toEqual([]);
  });

  test("is told when it cannot be read, and not asked of what is pushed", async () => {
    const broken = source.rows("broken", {
      columns: { id: int32() },
      rows: () => {
        throw new Error("no permission");
      },
    });
    const query = source.postgres("query", {
      url: secret.env("ORRERY_TEST_NOT_SET"),
      query: "SELECT 1",
      columns: { id: int32() },
    });
    const pushed = source.push("pushed", { key: ["id"], columns: { id: int32() } });
    expect(await check([broken, query, pushed])).toMatchObject([
      { where: "source broken", message: expect.stringContaining("no permission [DATA_ROWS_FAILED]") },
      { where: "source query", message: expect.stringContaining("[DATA_ORIGIN_MISSING]") },
    ]);
  });
});
