import { Agent, request } from "node:http";
import type { FlightRequest } from "./flight-requests.ts";

/** A request that begins this much after its appointed moment counts as a late start. */
const LATE_MS = 20;
/** Sockets that were idle for longer are not used again: the server closes them some seconds later, and a request could meet that. */
const IDLE_MS = 4_000;

export interface SenderFigures {
  sent: number;
  failed: number;
  lateStarts: number;
  /** From the first byte sent to the last byte received, in ms. */
  latencies: Float64Array;
  failures: Record<string, number>;
}

/**
 * Sends at a fixed rate whatever the server does (an open loop), so that a slow answer cannot hide behind the requests it holds
 * up; starts that came late all the same are counted.
 */
export class OpenLoopSender {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: IDLE_MS });
  readonly #intervalMs: number;
  readonly #latencies: number[] = [];
  readonly #failures: Record<string, number> = {};
  #sent = 0;
  #failed = 0;
  #lateStarts = 0;

  constructor(url: string, ratePerSecond: number) {
    this.#url = new URL(url);
    this.#intervalMs = 1_000 / ratePerSecond;
  }

  /** Resolves when all are answered. */
  async send(requests: readonly FlightRequest[]): Promise<void> {
    const start = performance.now();
    const answers: Promise<void>[] = [];
    for (let next = 0; next < requests.length; ) {
      const now = performance.now();
      for (; next < requests.length && start + next * this.#intervalMs <= now; next++) {
        if (now - (start + next * this.#intervalMs) > LATE_MS) this.#lateStarts++;
        answers.push(this.#sendOne(requests[next] as FlightRequest));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(answers);
  }

  #sendOne({ at, body }: FlightRequest): Promise<void> {
    this.#sent++;
    const begun = performance.now();
    return new Promise((resolve) => {
      const fail = (why: string) => {
        this.#failed++;
        this.#failures[why] = (this.#failures[why] ?? 0) + 1;
        resolve();
      };
      const headers = {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "orrery-virtual-time": at,
      };
      const sending = request(this.#url, { method: "POST", agent: this.#agent, headers }, (answer) => {
        answer.resume();
        answer.on("error", (error) => fail(error.message));
        answer.on("end", () => {
          if (answer.statusCode !== 200) return fail(`status ${answer.statusCode}`);
          this.#latencies.push(performance.now() - begun);
          resolve();
        });
      });
      sending.on("error", (error) => fail(error.message));
      sending.end(body);
    });
  }

  figures(): SenderFigures {
    return {
      sent: this.#sent,
      failed: this.#failed,
      lateStarts: this.#lateStarts,
      latencies: Float64Array.from(this.#latencies).sort(),
      failures: this.#failures,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Nearest-rank quantile of sorted values; NaN of none. */
export const quantile = (sorted: Float64Array, q: number): number =>
  sorted.length === 0 ? Number.NaN : (sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN);
