import type { Violation } from "./snapshot.ts";

const SAMPLES = 5;

/** Violations of several parts, those of one rule together: rows added, the first samples kept. */
export function addUp(parts: readonly (readonly Violation[])[]): Violation[] {
  const sums = new Map<string, Violation>();
  for (const violation of parts.flat()) {
    const id = JSON.stringify([violation.column, violation.rule]);
    const { rows, samples } = sums.get(id) ?? { rows: 0, samples: [] };
    sums.set(id, {
      ...violation,
      rows: rows + violation.rows,
      samples: [...samples, ...violation.samples].slice(0, SAMPLES),
    });
  }
  return [...sums.values()];
}
