import type { BenchCase } from "../run.ts";
import { connections, median, type Throughput, throughput } from "./http-load.ts";
import type { Contestant, RunningServer } from "./servers.ts";

const SECONDS = 3;
const ROUNDS = 3;

type Measure = (server: RunningServer) => Promise<Throughput>;

/** Answers a second, with a run of its own in each round. */
function measures(): Record<string, Measure> {
  const onRun =
    (
      atATime: number,
      work: (post: ReturnType<typeof connections>["post"], run: string, worker: number, step: number) => Promise<unknown>,
    ): Measure =>
    async ({ port }) => {
      const { post, close } = connections(port, atATime);
      const { run } = await post<{ run: { info: { run_id: string } } }>("runs/create", {
        experiment_id: "0",
        start_time: Date.now(),
      });
      let step = 0;
      const answered = await throughput(atATime, SECONDS, (worker) => work(post, run.info.run_id, worker, step++));
      close();
      return answered;
    };
  const logMetric = (atATime: number) =>
    onRun(atATime, (post, run, worker, step) =>
      post("runs/log-metric", { run_id: run, key: `metric-${worker}`, value: step / 7, timestamp: Date.now(), step }),
    );
  const createRun = (atATime: number) =>
    onRun(atATime, (post) =>
      post("runs/create", { experiment_id: "0", start_time: Date.now(), tags: [{ key: "team", value: "a" }] }),
    );
  const logBatch = (atATime: number) =>
    onRun(atATime, (post, run, _worker, step) =>
      post("runs/log-batch", {
        run_id: run,
        metrics: Array.from({ length: 1_000 }, (_, i) => ({
          key: `metric-${i % 10}`,
          value: (step * 1_000 + i) / 7,
          timestamp: 1_700_000_000_000 + i,
          step: step * 1_000 + i,
        })),
      }),
    );
  return {
    "log-metric": logMetric(32),
    "create-run": createRun(32),
    "log-batch": logBatch(4),
    "log-metric, 1 connection": logMetric(1),
    "create-run, 1 connection": createRun(1),
    "log-batch, 1 connection": logBatch(1),
  };
}

/** Both servers up, asked in turn: what disturbs the machine disturbs both. Unless the name says otherwise at 32 connections (batches: 4). */
export async function smallWrites(
  ours: RunningServer,
  theirs: RunningServer,
  peer: Contestant,
  suffix: string,
): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  for (const [name, measure] of Object.entries(measures())) {
    const figures: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const inTurn = round % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
      for (const who of inTurn) {
        const { answered, failed } = await measure(who === "ours" ? ours : theirs);
        figures[who].push(answered);
        if (who === "ours" && failed > 0) throw new Error(`${name}: ${failed} requests failed`);
        if (failed > 0) console.error(`${name}${suffix}: ${failed} requests to ${peer.name} failed and are not counted`);
      }
    }
    const [mine, peers] = [median(figures.ours), median(figures.theirs)];
    cases.push({
      case: `${name}${suffix}`,
      ours: mine,
      peer: peers,
      peerName: peer.name,
      unit: "requests/s",
      ratio: mine / peers,
    });
  }
  return cases;
}
