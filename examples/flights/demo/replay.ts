import type { Client } from "../../../src/client/index.ts";
import type { FlightRequest } from "./flight-requests.ts";
import type { OpenLoopSender } from "./open-loop-sender.ts";
import { FAULT, type WeatherFeed } from "./weather-feed.ts";

export interface ReplayOptions {
  client: Client;
  feed: WeatherFeed;
  sender: OpenLoopSender;
  requests: readonly FlightRequest[];
  from: string;
  until: string;
  say: (line: string) => void;
  signal: AbortSignal;
}

const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

/**
 * Hour by hour: the control plane's clock moves and does what falls due (taking in what was published, the nightly pipeline, retraining,
 * canaries); then the hour's flights are asked about, each at its own time.
 */
export async function replay({ client, feed, sender, requests, from, until, say, signal }: ReplayOptions): Promise<void> {
  const end = Date.parse(until);
  let next = 0;
  let delivered = from.slice(0, 10);
  for (let hour = Date.parse(from); hour < end && !signal.aborted; hour += HOUR_MS) {
    const day = iso(hour).slice(0, 10);
    if (day !== delivered) await feed.deliverDay(day);
    delivered = day;
    if (hour === Date.parse(FAULT.at)) say(`FAULT: ${FAULT.what}`);
    const { pipelineRuns } = await client.clock.advance({ to: iso(hour) });
    for (const id of pipelineRuns) await tell(client, id, say);
    const first = next;
    while (next < requests.length && Date.parse(requests[next]?.at ?? "") < hour + HOUR_MS) next++;
    await sender.send(requests.slice(first, next));
  }
  const { pipelineRuns } = await client.clock.advance({ to: until });
  for (const id of pipelineRuns) await tell(client, id, say);
}

async function tell(client: Client, runId: string, say: (line: string) => void): Promise<void> {
  const run = await client.pipelines.run({ id: runId });
  if (run.pipeline === "daily" && run.status === "succeeded") {
    const day = run.createdAt.slice(0, 10);
    if (day.endsWith("01") || day.endsWith("08") || day.endsWith("15") || day.endsWith("22"))
      say(`${day}: the nightly pipeline ran`);
    return;
  }
  const failed = run.steps.find(({ status }) => status === "failed");
  say(
    `${run.createdAt.slice(0, 10)}: ${run.pipeline} ${run.status} (${run.trigger.reason})${failed?.error ? `: ${failed.step}: ${failed.error.message}` : ""}`,
  );
}
