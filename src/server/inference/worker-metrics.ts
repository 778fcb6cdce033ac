import type { Worker } from "node:cluster";
import { aggregateMetrics, foldCounters, type Metrics, type MetricsJson, metricsJson } from "../../core/observability/index.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

const COLLECT_MS = 1_000;

/** Adds up the metrics of the workers there are and of those there were: counters must not fall when a worker is replaced. */
export class WorkerMetrics {
  readonly #own: Metrics;
  readonly #workers: () => readonly Worker[];
  /** Counters of workers that are gone. */
  #gone: MetricsJson = [];
  /** What each worker said last, for the case that it dies without a word. */
  readonly #last = new Map<number, MetricsJson>();
  readonly #waiting = new Map<number, (metrics: MetricsJson) => void>();
  #asked = 0;

  constructor(own: Metrics, workers: () => readonly Worker[]) {
    this.#own = own;
    this.#workers = workers;
  }

  /** Takes a worker's message if it is about metrics. */
  async take(worker: Worker, message: ToPrimary): Promise<void> {
    if (message.kind === "collected") {
      this.#last.set(worker.id, message.metrics);
      this.#waiting.get(message.id)?.(message.metrics);
    }
    if (message.kind === "drained") this.#last.set(worker.id, message.metrics);
    if (message.kind === "want-metrics") send(worker, { kind: "metrics", id: message.id, text: await this.text() });
  }

  async retire(worker: Worker): Promise<void> {
    const last = this.#last.get(worker.id);
    this.#last.delete(worker.id);
    if (last !== undefined) this.#gone = await foldCounters([this.#gone, last]);
  }

  async text(): Promise<string> {
    const workers = await Promise.all(this.#workers().map((worker) => this.#collect(worker)));
    return aggregateMetrics([await metricsJson(this.#own), ...workers, this.#gone]);
  }

  #collect(worker: Worker): Promise<MetricsJson> {
    const id = this.#asked++;
    return new Promise((resolve) => {
      const finish = (metrics: MetricsJson) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(metrics);
      };
      // A worker that is too busy to answer is counted as it was.
      const late = setTimeout(() => finish(this.#last.get(worker.id) ?? []), COLLECT_MS);
      this.#waiting.set(id, finish);
      send(worker, { kind: "collect", id });
    });
  }
}

/** A worker may die at any moment; then there is nobody to tell. */
export function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}
