/** One process: asks a feature server for so many entities a request, over kept connections. `node online-load.ts OPTIONS-AS-JSON`. */
import autocannon from "autocannon";

export interface LoadOptions {
  readonly url: string;
  readonly entities: number;
  /** Entities that are in the store. */
  readonly known: number;
  readonly features: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface Load {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

const BODIES = 500;

/** Each body asks for others, the same in every run. */
export function bodies({ entities, known, features }: Pick<LoadOptions, "entities" | "known" | "features">): string[] {
  let state = 12_345;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % known;
  };
  return Array.from({ length: BODIES }, () =>
    JSON.stringify({
      features: Array.from({ length: features }, (_, index) => `wide:f${index}`),
      entities: { entity_id: Array.from({ length: entities }, next) },
      full_feature_names: false,
    }),
  );
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? "") as LoadOptions;
  const requests = bodies(options).map((body) => ({
    method: "POST" as const,
    path: "/get-online-features",
    headers: { "content-type": "application/json" },
    body,
  }));
  const measure = (duration: number) =>
    autocannon({ url: options.url, connections: options.connections, duration, requests, timeout: 30 });
  // The first seconds warm the server up.
  await measure(Math.min(3, options.seconds));
  const { requests: rate, latency, non2xx, errors } = await measure(options.seconds);
  const load: Load = { requestsPerSecond: rate.average, p50: latency.p50, p99: latency.p99, failed: non2xx + errors };
  console.log(JSON.stringify(load));
}
