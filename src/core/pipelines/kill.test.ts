import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../adapters/metadata/sqlite.ts";
import { systemClock } from "../ports/index.ts";
import type { PipelineRun } from "./index.ts";

const OWNER = fileURLToPath(new URL("./fixtures/owner.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-kill-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the owner to its end, or to its death; the finished run, or null when it was killed. */
const own = (death: string) =>
  new Promise<PipelineRun | null>((resolve, reject) => {
    execFile(process.execPath, [OWNER, folder, death], { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as PipelineRun);
      else if (error.signal === "SIGKILL") resolve(null);
      else reject(new Error(stderr || error.message));
    });
  });
const lines = (name: string) => readFileSync(join(folder, name), "utf8").trim().split("\n");
const times = (line: string) => lines("log.txt").filter((each) => each === line).length;
/** Steps that the journal says are done, as the killed process left it. */
async function finishedSteps(): Promise<string[]> {
  const store = await openSqlite({ path: join(folder, "metadata.db"), clock: systemClock });
  const rows = await store.db.selectFrom("step_runs").select("step").where("status", "=", "succeeded").execute();
  await store.close();
  return rows.map(({ step }) => step);
}

describe("an owner that is killed with SIGKILL", () => {
  test.each(["mid-step", "after-step", "before-effect-returns", "after-effect"])(
    "%s: is taken up where it stood",
    async (death) => {
      expect(await own(death)).toBeNull();
      const finished = await finishedSteps();
      const before = lines("log.txt");
      const run = await own("never");
      expect(run?.status).toBe("succeeded");
      expect(run?.steps.map(({ step, status }) => [step, status])).toEqual(
        ["a", "b", "deploy", "c"].map((step) => [step, "succeeded"]),
      );
      // A worker of the killed owner may still have written its end; what the journal holds as finished never ran again.
      const after = lines("log.txt").slice(before.length);
      for (const step of finished) {
        expect(after).not.toContain(`begin ${step}`);
        expect(after).not.toContain(`call ${step}`);
      }
      expect(lines("effect.txt")).toEqual([`${run?.id}/deploy`]);
      expect(times("end c")).toBe(1);
    },
  );

  test("the defined points are where they should be", async () => {
    await own("after-step");
    expect(await finishedSteps()).toEqual(expect.arrayContaining(["a", "b"]));
    expect(times("begin b")).toBe(1);
    await own("never");
    expect(times("begin b")).toBe(1);
  });

  test("an effect whose success was committed is not called again; one that was cut off is, with the same key", async () => {
    await own("after-effect");
    await own("never");
    expect(times("call deploy")).toBe(1);
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), "orrery-kill-"));
    await own("before-effect-returns");
    await own("never");
    expect(times("call deploy")).toBe(2);
    expect(lines("effect.txt")).toHaveLength(1);
  });

  test("again and again at random moments: still ends with every step finished and one effect", { timeout: 60_000 }, async () => {
    // A fixed list, so that a failure can be repeated; the run takes 300 ms and more.
    let deaths = 0;
    const rerun: string[] = [];
    let finished: string[] = [];
    for (const after of [1, 170, 230, 60, 200, 120, 250, 180, 90, 210]) {
      const logged = lineCount();
      if ((await own(String(after))) !== null) break;
      deaths += 1;
      const added = lineCount() === 0 ? [] : lines("log.txt").slice(logged);
      rerun.push(...finished.filter((step) => added.includes(`begin ${step}`) || added.includes(`call ${step}`)));
      finished = await finishedSteps();
    }
    const run = await own("never");
    expect(deaths).toBeGreaterThan(1);
    expect(rerun).toEqual([]);
    expect(run?.status).toBe("succeeded");
    expect(lines("effect.txt")).toEqual([`${run?.id}/deploy`]);
  });
});

function lineCount(): number {
  try {
    return lines("log.txt").length;
  } catch {
    return 0;
  }
}
