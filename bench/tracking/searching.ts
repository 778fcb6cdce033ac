import type { BenchCase } from "../run.ts";
import { connections, median } from "./http-load.ts";
import type { Contestant, RunningServer } from "./servers.ts";

const ROUNDS = 7;
const FILTER = "metrics.m3 > 0.5 and params.p1 = 'b'";
const ORDER = "metrics.m3 DESC";

interface Found {
  readonly runs: readonly { readonly info: { readonly run_name: string } }[];
}

const search = (port: number, pageSize: number): Promise<{ ms: number; names: string }> => {
  const { post, close } = connections(port, 1);
  const began = performance.now();
  return post<Found>("runs/search", { experiment_ids: ["0"], filter: FILTER, order_by: [ORDER], max_results: pageSize }).then(
    (found) => {
      const ms = performance.now() - began;
      close();
      return { ms, names: found.runs.map(({ info }) => info.run_name).join() };
    },
  );
};

/** One page, best metric first, of the runs that fulfil a condition on a metric and one on a param; both must give the same runs. */
export async function searching(
  ours: RunningServer,
  theirs: RunningServer,
  peer: Contestant,
  name: string,
  pageSize: number,
): Promise<BenchCase> {
  const [mine, peers] = [await search(ours.port, pageSize), await search(theirs.port, pageSize)];
  if (mine.names !== peers.names || mine.names === "") throw new Error(`${name}: the two found different runs`);
  const figures: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < ROUNDS; round++) {
    figures.ours.push((await search(ours.port, pageSize)).ms);
    figures.theirs.push((await search(theirs.port, pageSize)).ms);
  }
  const [fast, slow] = [median(figures.ours), median(figures.theirs)];
  return { case: name, ours: fast, peer: slow, peerName: peer.name, unit: "ms", ratio: slow / fast };
}
