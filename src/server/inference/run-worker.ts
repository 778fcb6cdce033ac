import cluster from "node:cluster";
import type { Server as HttpServer } from "node:http";
import { Server } from "node:net";
import type { FastifyInstance } from "fastify";
import { toOrreryError } from "../../core/errors.ts";
import { type Metrics, metricsJson } from "../../core/observability/index.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { KEEP_ALIVE_MS } from "./app.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** After this, connections of clients that never close them are cut. */
const DRAIN_MS = KEEP_ALIVE_MS + 1_500;
/** When nobody comes after this server, idle connections need not be waited for. */
const HURRY_MS = 250;
const METRICS_TIMEOUT_MS = 3_000;

const tell = (message: ToPrimary): void => void process.send?.(message);

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** One process that answers. Ends when the primary tells it to, or is gone, after what it is answering. */
export async function runWorker({ host, port }: ListenAddress, serve: () => Promise<void>): Promise<void> {
  // The primary decides what signals mean: a terminal sends them to the whole group.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  // Node tells the primary that a connection was taken over. Where it has died since, that fails, and must not end this process with
  // answers that are not logged yet: "disconnect" says that the primary is gone.
  cluster.worker?.on("error", () => undefined);
  try {
    await serve();
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const known = isTaken ? servingErrors.SERVING_PORT_IN_USE(`Port ${port} on ${host} is in use`) : toOrreryError(error);
    process.send?.({ kind: "failed", error: known.toJSON() } satisfies ToPrimary, () => process.exit(1));
  }
}

/** A server that can be left without an answer being lost. */
export interface DrainableApp {
  readonly server: HttpServer;
  listen(address: ListenAddress): Promise<unknown>;
  /** From now on answers ask their clients to close the connection. */
  leave(): void;
}

export function drainable(app: FastifyInstance): DrainableApp {
  let leaving = false;
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (leaving) reply.header("connection", "close");
    done(null, payload);
  });
  return {
    server: app.server,
    listen: (address) => app.listen(address),
    leave() {
      leaving = true;
    },
  };
}

export interface Answering extends ListenAddress {
  readonly app: DrainableApp;
  readonly metrics: Metrics;
  /** What is to be closed when the last answer is out. */
  close(): Promise<void>;
}

/** Listens, and follows what the primary says until it says to leave. */
export async function answerUntilDrained({ app, host, port, metrics, close }: Answering): Promise<void> {
  let leaving = false;
  const leave = async (hurry: boolean) => {
    if (leaving) return;
    leaving = true;
    app.leave();
    await drain(app, hurry);
    await close();
    if (!process.connected) process.exit(0);
    process.send?.({ kind: "drained", metrics: await metricsJson(metrics) } satisfies ToPrimary, () => process.exit(0));
  };
  process.on("message", async (message: ToWorker) => {
    if (message.kind === "drain") await leave(message.hurry);
    if (message.kind === "collect") tell({ kind: "collected", id: message.id, metrics: await metricsJson(metrics) });
  });
  // Node would exit at once when the primary dies; what is being answered and logged comes first.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on("disconnect", () => void leave(true));
  await app.listen({ host, port });
}

export const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Answers what is under way and what still comes over open connections, and asks clients to close them. */
async function drain(app: DrainableApp, hurry: boolean): Promise<void> {
  const closed = new Promise<void>((resolve) => app.server.once("close", () => resolve()));
  // Only stops listening: http's own close would also cut idle connections on which a request may be on its way.
  Server.prototype.close.call(app.server);
  const cutting = hurry ? setInterval(() => app.server.closeIdleConnections(), HURRY_MS) : null;
  await Promise.race([closed, after(DRAIN_MS)]);
  if (cutting !== null) clearInterval(cutting);
}

let asked = 0;

/** Metrics of all workers; of this one alone they would say little. */
export function metricsFromPrimary(): Promise<string> {
  const id = asked++;
  return new Promise((resolve, reject) => {
    const stop = () => {
      process.off("message", answer);
      clearTimeout(late);
    };
    const answer = (message: ToWorker) => {
      if (message.kind !== "metrics" || message.id !== id) return;
      stop();
      resolve(message.text);
    };
    const late = setTimeout(() => {
      stop();
      reject(servingErrors.SERVING_METRICS_LATE("The workers' metrics did not arrive in time"));
    }, METRICS_TIMEOUT_MS);
    process.on("message", answer);
    tell({ kind: "want-metrics", id });
  });
}
