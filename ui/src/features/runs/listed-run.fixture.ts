import type { ListedRun } from "../../../../src/contract/index.ts";

/** A run of tests: its metrics have an interval of 0.1 to either side. */
export const listedRun = (
  id: string,
  metrics: Readonly<Record<string, number>> = {},
  params: Record<string, string> = {},
  more: Partial<ListedRun> = {},
): ListedRun => ({
  id,
  name: id,
  experiment: "e",
  experimentId: "1",
  status: "finished",
  lifecycle: "active",
  parentRunId: null,
  startedAt: "2013-11-01T00:00:00Z",
  endedAt: null,
  actor: "anna",
  userName: "",
  notFinite: {},
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, { value, low: value - 0.1, high: value + 0.1 }]),
  ),
  tags: {},
  params,
  ...more,
});
