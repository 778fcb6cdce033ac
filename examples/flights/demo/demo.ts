import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { assertSucceeded, follow } from "../../../src/cli/commands/run.ts";
import { createClient } from "../../../src/client/index.ts";
import { startControlPlane } from "./control-plane-process.ts";
import { readFlightRequests } from "./flight-requests.ts";
import { OpenLoopSender } from "./open-loop-sender.ts";
import { prepareProject } from "./prepare-project.ts";
import { replay } from "./replay.ts";
import { summarise, summaryText } from "./summary.ts";
import { WeatherFeed } from "./weather-feed.ts";

const ENDPOINT = "late-arrival";
const FROM = "2013-11-01T00:00:00Z";
const UNTIL = "2014-01-01T00:00:00Z";
const REQUESTS_PER_SECOND = 3_000;
/** Entities of each view, and predictions, whose features are compared with the offline ones. */
const COMPARED = 2_000;

export interface DemoOptions {
  serve: boolean;
  summary?: string;
  port: number;
  until?: string;
}

/** The whole loop on the flights of 2013: first model from ten months, then two months replayed over HTTP. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1_000;
  const say = (line: string) => console.log(`${elapsed().toFixed(0).padStart(4)} s  ${line}`);
  const until = options.until ?? UNTIL;

  const project = prepareProject(resolve(".orrery/demo"));
  const connection = await (await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "512MB" })).connect();
  const feed = new WeatherFeed(connection, project.original.weather, project.data);
  await feed.deliverHistory(FROM);
  await feed.deliverDay(FROM.slice(0, 10));

  const plane = await startControlPlane(project, FROM, options.port);
  const stopping = new AbortController();
  const interrupted = new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        stopping.abort();
        done();
      });
    }
  });
  try {
    say(`the control plane is up at ${plane.url}`);
    const client = createClient({ baseUrl: plane.url, workspace: "default", project: "flights" });

    say("ingest, check, features, candidates, gates: the first model");
    const { runId } = await client.pipelines.start({ name: "retrain", reason: "first model" });
    assertSucceeded(await follow(client, runId, (line) => say(line)));
    const first = (await client.models.get({ name: ENDPOINT })).aliases.champion ?? null;
    const served = (await client.endpoints.list()).items.find(({ name }) => name === ENDPOINT);
    if (first === null) {
      say("no candidate passed its gates, so nothing is deployed and there is nothing to replay; the model's card tells why");
    } else if (served === undefined || served.url === null) {
      throw new Error(`The inference server of ${ENDPOINT} did not start; see ${project.state}/logs`);
    } else {
      const requests = await readFlightRequests(connection, project.original.flights, FROM, until);
      say(
        `version ${first} is champion; replaying ${requests.length.toLocaleString("en")} flights, asked two hours before departure`,
      );
      const sender = new OpenLoopSender(`${served.url}/v1/endpoints/${ENDPOINT}/predict`, REQUESTS_PER_SECOND);
      await replay({ client, feed, sender, requests, from: FROM, until, say, signal: stopping.signal });
      sender.close();
      say("comparing features as they were read online with what the offline join gives");
      const consistency = await client.features.checkConsistency({ sample: COMPARED, since: FROM });
      const summary = await summarise(client, project, sender.figures(), consistency, elapsed(), first);
      if (options.summary !== undefined) writeFileSync(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
      console.log(`\n${summaryText(summary, plane.url)}`);
    }
    if (options.serve && !stopping.signal.aborted) {
      console.log("Serving until Ctrl-C.");
      await interrupted;
    }
  } finally {
    connection.closeSync();
    await plane.stop();
  }
}
