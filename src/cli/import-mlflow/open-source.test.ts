import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSource } from "./open-source.ts";

let folder = "";
let problems: string[] = [];
const report = (what: string, reason: string) => problems.push(`${what}: ${reason}`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-open-source-"));
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (path: string, content: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), content);
};

const RUN = "0123456789abcdef0123456789abcdef";

function fileStore(): void {
  write("mlruns/7/meta.yaml", "experiment_id: '7'\nname: churn\nlifecycle_stage: active\n");
  write(`mlruns/7/${RUN}/meta.yaml`, `run_id: ${RUN}\nrun_name: first\nstatus: 3\nstart_time: 1700000000000\nend_time: null\n`);
  write(`mlruns/7/${RUN}/params/depth`, "6");
  write(`mlruns/7/${RUN}/metrics/loss`, "1700000000000 0.5 0\n1700000001000 nan 1\n1700000002000 -inf 2\n");
  write(`mlruns/7/${RUN}/artifacts/notes/read.txt`, "hello");
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function theRun(source: Awaited<ReturnType<typeof openSource>>) {
  await all(source.experiments());
  const [run] = await all(source.runs("7"));
  if (run === undefined) throw new Error("there is no run");
  return run;
}

test("a folder beside which mlruns lies is read like the folder itself", async () => {
  fileStore();
  for (const address of [folder, join(folder, "mlruns"), `file:${join(folder, "mlruns")}`]) {
    const run = await theRun(await openSource(address, report));
    expect(run.info).toMatchObject({ run_id: RUN, run_name: "first", status: "FINISHED", end_time: null });
    expect(run.data.params).toEqual([{ key: "depth", value: "6" }]);
  }
  expect(problems).toEqual([]);
});

test("metrics that are no number are what Python wrote; a line that cannot be read is named and the others are taken", async () => {
  fileStore();
  write(`mlruns/7/${RUN}/metrics/loss`, "1700000000000 0.5 0\nbroken\n1700000001000 nan 1\n1700000002000 -inf 2\n");
  const source = await openSource(folder, report);
  const points = await all(source.history(await theRun(source), "loss"));
  expect(points.map(({ value }) => value)).toEqual([0.5, "NaN", "-Infinity"]);
  expect(problems).toEqual([`metric loss of run ${RUN}: line 2 cannot be read`]);
});

test("files of a run are given out, and a symbolic link that leads out of the folder is not", async () => {
  fileStore();
  write("secret.txt", "not yours");
  symlinkSync(join(folder, "secret.txt"), join(folder, `mlruns/7/${RUN}/artifacts/link.txt`));
  symlinkSync(folder, join(folder, `mlruns/7/${RUN}/artifacts/up`));
  const source = await openSource(join(folder, "mlruns"), report);
  const files = await all(source.files(`file:///elsewhere/mlruns/7/${RUN}/artifacts`) ?? empty());
  expect(files.map(({ path }) => path)).toEqual(["notes/read.txt"]);
  expect(await text(await files[0].open())).toBe("hello");
  expect(problems).toHaveLength(2);
});

test("a location with .. in it is nowhere", async () => {
  fileStore();
  const source = await openSource(join(folder, "mlruns"), report);
  expect(source.files(`${folder}/mlruns/7/../../../etc`)).toBeNull();
});

test("a run whose meta.yaml is damaged is reported and the others are read", async () => {
  fileStore();
  write("mlruns/7/broken/meta.yaml", "run_id: [");
  write("mlruns/7/liar/meta.yaml", "run_id: somebody-else\n");
  const source = await openSource(folder, report);
  await all(source.experiments());
  expect((await all(source.runs("7"))).map(({ info }) => info.run_id)).toEqual([RUN]);
  expect(problems).toHaveLength(2);
});

test("an address at which there is no MLflow is refused with what was looked for", async () => {
  write("notes.txt", "no database");
  mkdirSync(join(folder, "empty"));
  await expect(openSource(join(folder, "nowhere"), report)).rejects.toMatchObject({ code: "IMPORT_ADDRESS_INVALID" });
  await expect(openSource(join(folder, "empty"), report)).rejects.toMatchObject({ code: "IMPORT_ADDRESS_INVALID" });
  await expect(openSource("postgresql://db/mlflow", report)).rejects.toMatchObject({ code: "IMPORT_ADDRESS_INVALID" });
  await expect(openSource(join(folder, "notes.txt"), report)).rejects.toMatchObject({ code: "IMPORT_SOURCE_FAILED" });
});

test("a database of something else is refused, and is not changed", async () => {
  const db = new DatabaseSync(join(folder, "other.db"));
  db.exec("CREATE TABLE cats (name TEXT)");
  db.close();
  await expect(openSource(`sqlite:///${folder}/other.db`, report)).rejects.toMatchObject({ code: "IMPORT_SOURCE_FAILED" });
});

async function* empty() {}
