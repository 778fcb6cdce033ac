import { useQueries } from "@tanstack/react-query";
import type { Client } from "../../../../src/client/index.ts";
import type { MetricPoint } from "../../../../src/contract/index.ts";
import { useClient } from "../../session.tsx";
import type { History } from "./curves.ts";

const PAGE = 25_000;
/** More would take long to send, and a screen could not show them: the chart says that it is the beginning. */
export const MOST_READ = 200_000;

async function readHistory(client: Client, id: string, key: string): Promise<History> {
  const points: MetricPoint[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.runs.metricHistory({ id, key, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    points.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && points.length < MOST_READ);
  return { points, complete: cursor === undefined };
}

export interface Wanted {
  readonly id: string;
  readonly key: string;
  /** A run that goes on logs more. */
  readonly live: boolean;
}

const LIVE_MS = 10_000;

/** Histories of metrics, in the order that they are wanted in. */
export function useHistories(wanted: readonly Wanted[]) {
  const client = useClient();
  return useQueries({
    queries: wanted.map(({ id, key, live }) => ({
      queryKey: ["run", id, "history", key],
      queryFn: () => readHistory(client, id, key),
      staleTime: live ? LIVE_MS : 60_000,
      // A long history is not asked for again and again.
      refetchInterval: ({ state }: { state: { data: History | undefined } }) =>
        live && (state.data?.points.length ?? 0) < PAGE ? LIVE_MS : (false as const),
    })),
  });
}

/** Metrics that are tried for a curve before somebody chooses one. */
const TRIED = 8;

/** The first metric of a run that was logged more than once; undefined while that is not known, or where none was. */
export function useCurvedMetric(id: string, metrics: readonly string[]): string | undefined {
  const client = useClient();
  const tried = metrics.slice(0, TRIED);
  const found = useQueries({
    queries: tried.map((key) => ({
      queryKey: ["run", id, "is-curve", key],
      queryFn: async () => (await client.runs.metricHistory({ id, key, limit: 2 })).items.length > 1,
      staleTime: 60_000,
    })),
  });
  return tried[found.findIndex(({ data }) => data === true)];
}
