import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createKernelMemory } from "../kernels/kernel-memory.ts";
import { boostingKernel, startBoostingKernel } from "./boosting-kernel.ts";
import { hireCrew } from "./crew.ts";
import { createObjective } from "./objective.ts";
import { createTasks } from "./tasks.ts";
import { groupColumns, planWorkspace, viewWorkspace } from "./workspace.ts";

const ROWS = 20_000;
const CELLS = 7;

/** A crew over rows whose record is their number, and whose only column holds it modulo 7. */
function prepare(threads: number) {
  const kernel = boostingKernel();
  if (!kernel.available) throw new Error(kernel.reason);
  const workspace = planWorkspace({
    rows: ROWS,
    allRows: ROWS,
    columns: 1,
    outputs: 1,
    weighted: false,
    cells: CELLS,
    groups: groupColumns([CELLS]),
    leaves: 1,
    threads,
    cellBytes: 16,
  });
  const memory = createKernelMemory(workspace.bytes);
  const views = viewWorkspace(memory, workspace);
  for (let row = 0; row < ROWS; row++) {
    views.index[row] = row;
    views.bytes[workspace.bins + row] = row % CELLS;
    new BigInt64Array(memory.buffer, workspace.rowsAt + row * workspace.rowBytes, 1)[0] = BigInt(row);
  }
  const choice = { objective: "squared", quantile: 0.5, classes: 1 } as const;
  const own = startBoostingKernel(kernel.module, memory);
  const tasks = createTasks(own, workspace, views, createObjective(choice, own));
  const crew = hireCrew({ memory, module: kernel.module, workspace, objective: choice }, views, tasks);
  const gradientOf = (histogram: number, cell: number) => new BigInt64Array(memory.buffer, histogram + 16 * cell, 1)[0];
  return { crew, workspace, gradientOf };
}

describe("a crew", () => {
  it("shares a task out once its threads are there, and each does its part", async () => {
    const { crew, workspace, gradientOf } = prepare(2);
    try {
      const parts = () => crew.run("layRowsOut", ROWS);
      for (let tries = 0; parts() === 1 && tries < 1_000; tries++) await setTimeout(10);
      expect(crew.run("fillHistogram", ROWS, 0, ROWS, workspace.histograms)).toBe(2);
      const second = workspace.threadHistograms + CELLS * 16;
      for (let cell = 0; cell < CELLS; cell++) {
        let sum = 0n;
        for (let row = cell; row < ROWS; row += CELLS) sum += BigInt(row);
        expect(gradientOf(workspace.histograms, cell) + gradientOf(second, cell)).toBe(sum);
        expect(gradientOf(second, cell)).toBeGreaterThan(sum / 2n);
      }
      expect(crew.run("fillHistogram", 100, 0, 100, workspace.histograms)).toBe(1);
    } finally {
      crew.dismiss();
    }
  });

  it("of one does all itself", () => {
    const { crew, workspace, gradientOf } = prepare(1);
    crew.run("layRowsOut", ROWS);
    expect(crew.run("fillHistogram", ROWS, 0, 15, workspace.histograms)).toBe(1);
    expect(gradientOf(workspace.histograms, 0)).toBe(0n + 7n + 14n);
  });
});

describe("columns in groups", () => {
  it("number their cells in 16 bits", () => {
    const cells = new Array<number>(600).fill(256);
    const groups = groupColumns(cells);
    expect(groups.map(({ first, columns, firstCell }) => [first, columns, firstCell])).toEqual([
      [0, 256, 0],
      [256, 256, 65_536],
      [512, 88, 131_072],
    ]);
  });
});
