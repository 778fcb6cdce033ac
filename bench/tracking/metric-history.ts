import type { BenchCase } from "../run.ts";
import { connections, median } from "./http-load.ts";
import type { Contestant, RunningServer } from "./servers.ts";

const POINTS = 100_000;
const PAGE = 25_000;
const ROUNDS = 3;

interface History {
  readonly metrics: readonly { readonly step: number }[];
  readonly next_page_token?: string;
}

async function fill(port: number): Promise<string> {
  const { post, close } = connections(port, 4);
  const { run } = await post<{ run: { info: { run_id: string } } }>("runs/create", {
    experiment_id: "0",
    start_time: Date.now(),
  });
  const run_id = run.info.run_id;
  for (let from = 0; from < POINTS; from += 1_000)
    await post("runs/log-batch", {
      run_id,
      metrics: Array.from({ length: 1_000 }, (_, i) => ({
        key: "loss",
        value: 1 / (from + i + 1),
        timestamp: 1_700_000_000_000,
        step: from + i,
      })),
    });
  close();
  return run_id;
}

async function readAll(port: number, run: string): Promise<number> {
  const { get, close } = connections(port, 1);
  const began = performance.now();
  let read = 0;
  for (let token: string | undefined; ; ) {
    const page = await get<History>(
      `metrics/get-history?run_id=${run}&metric_key=loss&max_results=${PAGE}${token === undefined ? "" : `&page_token=${encodeURIComponent(token)}`}`,
    );
    read += page.metrics.length;
    token = page.next_page_token;
    if (!token) break;
  }
  const ms = performance.now() - began;
  close();
  if (read !== POINTS) throw new Error(`${read} of ${POINTS} points were read`);
  return ms;
}

/** The whole history of one metric in pages of 25,000. */
export async function metricHistory(ours: RunningServer, theirs: RunningServer, peer: Contestant): Promise<BenchCase> {
  const [mine, peers] = [await fill(ours.port), await fill(theirs.port)];
  const figures: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < ROUNDS; round++) {
    figures.ours.push(await readAll(ours.port, mine));
    figures.theirs.push(await readAll(theirs.port, peers));
  }
  const [fast, slow] = [median(figures.ours), median(figures.theirs)];
  return { case: "history", ours: fast, peer: slow, peerName: peer.name, unit: "ms", ratio: slow / fast };
}
