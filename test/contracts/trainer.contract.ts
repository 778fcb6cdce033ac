import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Trainer, TrainerRequest } from "../../src/core/ports/index.ts";

/** A program for each way in which training can go. */
export type TrainerBehaviour = "learns" | "raises" | "saves nothing" | "saves text" | "hangs";

export interface TrainerUnderTest {
  readonly trainer: Trainer;
  /** A small request for a program that behaves so; "learns" prints "learning" and measures `rows`, the training rows. */
  request(behaviour: TrainerBehaviour): TrainerRequest;
  /** Files of training runs, which end with them. */
  leftBehind(): Promise<readonly string[]>;
  cleanup(): Promise<void>;
}

/** What every Trainer does, whatever it trains with. */
export function trainerContract(name: string, open: () => Promise<TrainerUnderTest>): void {
  describe(`${name} as a trainer`, () => {
    let under: TrainerUnderTest;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.cleanup());

    test("hands back an ONNX file, metrics, the log, and what it ran with", async () => {
      const lines: string[] = [];
      const request = under.request("learns");
      const result = await under.trainer.train({ ...request, onOutput: (line) => lines.push(line) });
      expect(result.onnx.length).toBeGreaterThan(50);
      expect(result.metrics.rows).toBe(request.train.matrix.rows);
      expect(result.log).toContain("learning");
      expect(lines.some((line) => line.includes("learning"))).toBe(true);
      expect(result.environment.python).toMatch(/^\d+\.\d+\.\d+$/);
      expect(result.seconds).toBeGreaterThan(0);
      expect(await under.leftBehind()).toEqual([]);
    });

    test("gives the same model for the same request, alone or beside others", async () => {
      const results = await Promise.all(Array.from({ length: 3 }, () => under.trainer.train(under.request("learns"))));
      for (const { onnx } of results) expect(Buffer.from(onnx).equals(results[0].onnx)).toBe(true);
    });

    test.each([
      ["raises", "TRAIN_PYTHON_PROGRAM_FAILED"],
      ["saves nothing", "TRAIN_PYTHON_OUTPUT_INVALID"],
      ["saves text", "TRAIN_PYTHON_OUTPUT_INVALID"],
    ] as const)("says so of a program that %s, keeps its log, and leaves nothing behind", async (behaviour, code) => {
      const failed = under.trainer.train(under.request(behaviour));
      await expect(failed).rejects.toMatchObject({ code, details: { log: expect.stringMatching(/./) } });
      expect(await under.leftBehind()).toEqual([]);
    });

    test("ends a program that takes longer than it may", async () => {
      const slow = under.trainer.train({ ...under.request("hangs"), timeoutMs: 1_000 });
      await expect(slow).rejects.toMatchObject({ code: "TRAIN_PYTHON_TIMEOUT", message: expect.stringContaining("1 s") });
      expect(await under.leftBehind()).toEqual([]);
    });

    test("ends a program that is cancelled, and starts none that was cancelled before", async () => {
      const controller = new AbortController();
      const cancelled = under.trainer.train({
        ...under.request("hangs"),
        signal: controller.signal,
        onOutput: () => controller.abort(),
      });
      await expect(cancelled).rejects.toMatchObject({ code: "TRAIN_PYTHON_CANCELLED" });
      const early = under.trainer.train({ ...under.request("learns"), signal: AbortSignal.abort() });
      await expect(early).rejects.toMatchObject({ code: "TRAIN_PYTHON_CANCELLED" });
      expect(await under.leftBehind()).toEqual([]);
    });

    test("refuses rows that are none, or do not fit each other", async () => {
      const request = under.request("learns");
      const none = {
        matrix: { rows: 0, columns: request.features.map(() => new Float64Array(0)) },
        target: { values: new Uint8Array(0) },
      };
      const short = { ...request.train, target: { values: request.train.target.values.subarray(1) } };
      for (const train of [none, short])
        await expect(under.trainer.train({ ...request, train })).rejects.toMatchObject({ code: "TRAIN_PYTHON_DATA_INVALID" });
      await expect(under.trainer.train({ ...request, features: [] })).rejects.toMatchObject({
        code: "TRAIN_PYTHON_DATA_INVALID",
      });
    });
  });
}
