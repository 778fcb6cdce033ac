/**
 * scikit-learn's side of linear.ts and forest.ts: a Python process that keeps the rows and measures itself, so that neither
 * starting nor reading counts.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonEnvironment } from "../../scripts/python-environment.ts";

export interface ScikitLearn<Answer> {
  /** One task, one answer, one after the other. */
  ask(task: string): Promise<Answer>;
  end(): void;
}

/**
 * @param script beside this file; reads a task a line, answers a line of JSON
 * @param folder holds the rows
 */
export function startScikitLearn<Answer>(script: string, folder: string): ScikitLearn<Answer> {
  const peer = spawn(pythonEnvironment(), [join(import.meta.dirname, script), folder], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  return {
    async ask(task) {
      peer.stdin.write(`${task}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`scikit-learn ended during "${task}"`);
      return JSON.parse(value);
    },
    end: () => peer.stdin.end(),
  };
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
