import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LocalExecutor, openLocalExecutor } from "../../../adapters/executors/local.ts";
import { systemClock } from "../../ports/index.ts";
import { SECOND } from "../../time.ts";
import type { TrialInput } from "./fixtures/trial.ts";
import { OBJECTIVES } from "./objectives.fixture.ts";
import { halvingPruner } from "./pruning.ts";
import { runStudy, type StudyOptions } from "./run-study.ts";
import { evaluateInProcesses } from "./run-trial.ts";
import type { EndedTrial } from "./trial.ts";

const OWNER = fileURLToPath(new URL("./fixtures/owner.ts", import.meta.url));
const TRIAL = new URL("./fixtures/trial.ts", import.meta.url).href;

let folder: string;
let executor: LocalExecutor;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-trials-"));
  executor = openLocalExecutor({ workers: 2, log: { info: () => {}, warn: () => {} } });
});
afterEach(async () => {
  await executor.close();
  rmSync(folder, { recursive: true });
});

const run = (input: Omit<TrialInput, "log">, more: Partial<StudyOptions> = {}) =>
  runStudy({
    space: OBJECTIVES.mixed.space,
    direction: "minimize",
    clock: systemClock,
    budget: { trials: 8 },
    evaluate: evaluateInProcesses({
      executor,
      module: TRIAL,
      input: { log: join(folder, "log.txt"), ...input } satisfies TrialInput,
      context: {},
      name: "study",
    }),
    ...more,
  });
const statesOf = (trials: readonly EndedTrial[]) =>
  trials.map((trial) => (trial.state === "failed" ? trial.error.code : trial.state));

describe("trials in processes", () => {
  it("give the same scores as in this one, from several processes at once", async () => {
    const { trials } = await run({ ms: 20 }, { workers: 2 });
    const pids = new Set(trials.map((trial) => (trial.state === "finished" ? JSON.stringify(trial.detail) : null)));
    expect(pids.size).toBe(2);
    for (const trial of trials) expect(trial).toMatchObject({ score: OBJECTIVES.mixed.value(trial.params) });
  });

  it("that hang are killed when their time is over; that die or throw take nothing along", async () => {
    const { trials } = await run({ hangs: [1], dies: [3], fails: [5] }, { trialTime: 3 * SECOND });
    expect(statesOf(trials)).toEqual([
      ...[
        "finished",
        "EXECUTOR_STEP_TIMEOUT",
        "finished",
        "EXECUTOR_WORKER_LOST",
        "finished",
        "INTERNAL",
        "finished",
        "finished",
      ],
    ]);
  });

  it("stop themselves at the limits they were given", async () => {
    const pruner = halvingPruner({ minResource: 1, maxResource: 9 });
    const { trials } = await run({ steps: 9 }, { pruner, budget: { trials: 12 } });
    expect(new Set(statesOf(trials))).toEqual(new Set(["finished", "pruned"]));
    const log = readFileSync(join(folder, "log.txt"), "utf8");
    for (const { number, state } of trials) expect(log.includes(`end ${number}\n`)).toBe(state === "finished");
  });

  it("are cut off when the search's time is over, and do not count as failed", async () => {
    const { trials, end } = await run({ hangs: [2] }, { budget: { time: 3 * SECOND } });
    expect([statesOf(trials), end]).toEqual([["finished", "finished"], "time"]);
  });
});

describe("an owner of a study that is killed with SIGKILL", () => {
  /** The trials of a run to its end; null when it was killed after `ms`. */
  const own = (workers: number, ms = 0) =>
    new Promise<EndedTrial[] | null>((resolve, reject) => {
      const child = execFile(process.execPath, [OWNER, folder, String(workers)], { timeout: 25_000 }, (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as EndedTrial[]);
        else if (error.signal === "SIGKILL") resolve(null);
        else reject(new Error(stderr || error.message));
      });
      if (ms > 0) setTimeout(() => child.kill("SIGKILL"), ms);
    });
  const begun = () => {
    try {
      return readFileSync(join(folder, "log.txt"), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  };
  const endedInJournal = () => {
    try {
      const lines = readFileSync(join(folder, "study.ndjson"), "utf8").split("\n").slice(0, -1);
      return lines.flatMap((line) => {
        const record: { kind: string; trial: { number: number } } = JSON.parse(line);
        return record.kind === "ended" ? [record.trial.number] : [];
      });
    } catch {
      return [];
    }
  };
  const pointsOf = (trials: readonly EndedTrial[] | null) =>
    trials?.map((trial) => ({
      number: trial.number,
      params: trial.params,
      score: trial.state === "finished" ? trial.score : null,
    }));

  /** Kills it again and again at fixed moments, until it comes through; returns the trials and how often it died. */
  async function ownUntilDone(workers: number) {
    let deaths = 0;
    for (const ms of [350, 420, 500, 390, 460, 300, 550, 440]) {
      const finished = endedInJournal();
      const before = begun().length;
      const trials = await own(workers, ms);
      const repeated = begun()
        .slice(before)
        .filter((line) => finished.includes(Number(line.replace("begin ", ""))) && line.startsWith("begin"));
      expect(repeated).toEqual([]);
      if (trials !== null) return { trials, deaths };
      deaths += 1;
    }
    return { trials: await own(workers), deaths };
  }

  it("comes to the trials it would have come to, and repeats none that was finished", { timeout: 60_000 }, async () => {
    const uncut = await own(1);
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), "orrery-trials-"));
    const { trials, deaths } = await ownUntilDone(1);
    expect(deaths).toBeGreaterThan(1);
    expect(uncut).toHaveLength(30);
    expect(pointsOf(trials)).toEqual(pointsOf(uncut));
  });

  it("with two workers finishes every trial once, in the order that the journal tells", { timeout: 60_000 }, async () => {
    const { trials } = await ownUntilDone(2);
    expect(trials?.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, number) => number));
    const journal = endedInJournal();
    expect(new Set(journal).size).toBe(30);
    expect(journal).toHaveLength(30);
  });
});
