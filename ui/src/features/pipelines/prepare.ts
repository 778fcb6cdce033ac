import type { PipelineRun } from "../../../../src/contract/index.ts";

type Step = PipelineRun["steps"][number];

export interface GanttRow {
  readonly step: string;
  readonly status: Step["status"];
  readonly attempt: number;
  /** Shares of the whole run, 0…1; null: not started. */
  readonly bar: { readonly from: number; readonly length: number } | null;
  readonly seconds: number | null;
  readonly error: Step["error"];
}

/** Steps in order of their start over the time of the whole run; running ones reach to `now` (the newest instant seen by default). */
export function gantt(run: PipelineRun, now = newest(run)): GanttRow[] {
  const begins = run.steps.flatMap(({ startedAt }) => (startedAt === null ? [] : [Date.parse(startedAt)]));
  const start = Math.min(...begins);
  const end = run.steps.reduce((last, { startedAt, endedAt }) => Math.max(last, stop(startedAt, endedAt, now)), start);
  const span = Math.max(1, end - start);
  return layerSteps(run.steps)
    .flat()
    .map(({ step, status, attempt, startedAt, endedAt, error, candidateFailure }) => {
      const from = startedAt === null ? null : Date.parse(startedAt);
      const length = from === null ? null : Math.max(0, stop(startedAt, endedAt, now) - from);
      return {
        step,
        // A candidate that could not be trained is shown so, although the run goes on without it.
        status: candidateFailure === null ? status : "failed",
        attempt,
        bar: from === null || length === null ? null : { from: (from - start) / span, length: length / span },
        seconds: length === null ? null : length / 1000,
        error: error ?? candidateFailure,
      };
    });
}

const stop = (startedAt: string | null, endedAt: string | null, now: number): number =>
  startedAt === null ? Number.NEGATIVE_INFINITY : endedAt === null ? Math.max(now, Date.parse(startedAt)) : Date.parse(endedAt);

const newest = (run: PipelineRun): number =>
  run.steps
    .flatMap(({ startedAt, endedAt }) => [startedAt, endedAt])
    .concat(run.endedAt, run.startedAt, run.createdAt)
    .reduce((latest, at) => (at === null ? latest : Math.max(latest, Date.parse(at))), 0);

/** Steps by their longest path from a beginning. A step that needs an unknown one, or stands in a circle, goes to the first layer. */
export function layerSteps(steps: readonly Step[]): Step[][] {
  const byName = new Map(steps.map((step) => [step.step, step]));
  const depths = new Map<string, number>();
  const depth = (name: string, above: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const needs = byName.get(name)?.needs.filter((need) => byName.has(need) && !above.has(need)) ?? [];
    const found = needs.reduce((deepest, need) => Math.max(deepest, depth(need, new Set([...above, name])) + 1), 0);
    depths.set(name, found);
    return found;
  };
  const layers: Step[][] = [];
  for (const step of steps) (layers[depth(step.step, new Set([step.step]))] ??= []).push(step);
  // Depths leave no gaps, but a hole in the array would be undefined.
  return layers.filter((layer) => layer !== undefined);
}

export const BOX = { width: 124, height: 34, gapX: 34, gapY: 14 } as const;

export interface Graph {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly { readonly step: Step; readonly x: number; readonly y: number }[];
  readonly edges: readonly { readonly id: string; readonly path: string }[];
}

/** A column a layer, left to right, with a curve from every step to each that needs it. */
export function graph(steps: readonly Step[]): Graph {
  const layers = layerSteps(steps);
  const tallest = Math.max(1, ...layers.map((layer) => layer.length));
  const height = tallest * (BOX.height + BOX.gapY) - BOX.gapY + 4;
  const boxes = layers.flatMap((layer, column) => {
    const used = layer.length * (BOX.height + BOX.gapY) - BOX.gapY;
    return layer.map((step, row) => ({
      step,
      x: 2 + column * (BOX.width + BOX.gapX),
      y: (height - used) / 2 + row * (BOX.height + BOX.gapY),
    }));
  });
  const at = new Map(boxes.map((box) => [box.step.step, box]));
  const edges = boxes.flatMap(({ step, x, y }) =>
    step.needs.flatMap((need) => {
      const from = at.get(need);
      if (from === undefined) return [];
      const [x1, y1, y2] = [from.x + BOX.width, from.y + BOX.height / 2, y + BOX.height / 2];
      const bend = x1 + (x - x1) / 2;
      return [{ id: `${need} ${step.step}`, path: `M${x1} ${y1} C${bend} ${y1} ${bend} ${y2} ${x} ${y2}` }];
    }),
  );
  return { width: Math.max(1, layers.length) * (BOX.width + BOX.gapX) - BOX.gapX + 4, height, boxes, edges };
}
