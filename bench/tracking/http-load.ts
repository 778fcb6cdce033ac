/** Requests over kept connections, the next of each as soon as the one before is answered. */
import { Agent, request } from "node:http";

export interface Connections {
  post<T>(path: string, body: object): Promise<T>;
  get<T>(path: string): Promise<T>;
  close(): void;
}

export function connections(port: number, most: number): Connections {
  const agent = new Agent({ keepAlive: true, maxSockets: most });
  const send = <T>(method: "GET" | "POST", path: string, payload: string | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const headers =
        payload === null ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) };
      const sent = request({ agent, host: "127.0.0.1", port, method, path: `/api/2.0/mlflow/${path}`, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text === "" ? "{}" : text));
          else reject(new Error(`${path} was answered ${response.statusCode}: ${text.slice(0, 200)}`));
        });
      });
      sent.on("error", reject);
      sent.end(payload ?? undefined);
    });
  return {
    post: (path, body) => send("POST", path, JSON.stringify(body)),
    get: (path) => send("GET", path, null),
    close: () => agent.destroy(),
  };
}

export interface Throughput {
  /** Requests a second that were answered with success; the time that failed ones took counts. */
  readonly answered: number;
  readonly failed: number;
}

/** `work` done again and again by so many at a time. */
export async function throughput(
  atATime: number,
  seconds: number,
  work: (worker: number) => Promise<unknown>,
): Promise<Throughput> {
  const began = performance.now();
  const until = began + seconds * 1_000;
  let answered = 0;
  let failed = 0;
  const loop = async (worker: number) => {
    while (performance.now() < until) {
      await work(worker).then(
        () => {
          answered += 1;
        },
        () => {
          failed += 1;
        },
      );
    }
  };
  await Promise.all(Array.from({ length: atATime }, (_, worker) => loop(worker)));
  return { answered: (answered * 1_000) / (performance.now() - began), failed };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
