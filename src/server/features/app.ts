import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ERROR_KINDS, type OrreryError, toOrreryError } from "../../core/errors.ts";
import type { Metrics } from "../../core/observability/index.ts";
import type { Clock } from "../../core/ports/index.ts";
import { createAccess } from "../inference/access.ts";
import { KEEP_ALIVE_MS } from "../inference/app.ts";
import type { DrainableApp } from "../inference/run-worker.ts";
import type { ControlPlaneClient } from "./control-plane-client.ts";
import { featureServerErrors } from "./errors.ts";
import { feastErrorBody, feastErrorStatus } from "./feast-errors.ts";
import { feastColumns, feastRequest, feastRows, writeFeastAnswer } from "./feast-online.ts";
import { createFeastWrites } from "./feast-writes.ts";
import type { OnlineFeatures } from "./online-features.ts";
import { describeCatalog, ownRequest, ownRows, writeOwnAnswer } from "./own-features.ts";
import { readJson } from "./read-json.ts";

export interface FeatureAppOptions {
  readonly features: OnlineFeatures;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Required of every request but health checks where there is one. */
  readonly token: string | null;
  readonly controlPlane: ControlPlaneClient;
  /** Prometheus text over all workers. */
  readonly metricsText: () => Promise<string>;
  /** Told about failures that are ours. */
  readonly onFailure?: (error: OrreryError) => void;
}

export interface Answer {
  readonly status: number;
  /** Bytes are the answer's own: nobody writes into them afterwards. */
  readonly body: string | Buffer;
  readonly type?: string;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly search: URLSearchParams;
  readonly body: string;
}

interface Route {
  /** Answers errors as Feast's server does. */
  readonly feast?: true;
  /** Needs no token. */
  readonly open?: true;
  answer(asked: Asked): Promise<Answer>;
}

const BODY_LIMIT = 16 * 1024 * 1024;

const json = (body: string | Buffer): Answer => ({ status: 200, body });
const EMPTY: Answer = { status: 200, body: "" };

/**
 * The feature server: Orrery's own routes and Feast's beside them, on node's own HTTP server, since routing and validating by a framework
 * would take longer than reading.
 */
export function createFeatureApp(options: FeatureAppOptions): DrainableApp {
  const routes = routesOf(options);
  const access = createAccess(options.token);
  const { metrics } = options;
  let leaving = false;

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const began = performance.now();
    const { method = "GET", url = "/" } = request;
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const name = `${method} ${path}`;
    const route = routes.get(name);
    const send = ({ status, body, type = "application/json" }: Answer) => {
      if (leaving) response.setHeader("connection", "close");
      answer(response, status, body, type);
      metrics.featureRequestSeconds.observe(
        { route: route === undefined ? "none" : name, status },
        (performance.now() - began) / 1_000,
      );
    };
    const refuse = (error: unknown) => send(refusal(error, route?.feast === true, options));
    const refused = route?.open === true ? null : access(request.headers);
    if (refused !== null) {
      request.resume();
      return refuse(refused);
    }
    if (route === undefined) {
      request.resume();
      return refuse(featureServerErrors.FEATURE_SERVER_ROUTE_UNKNOWN(`There is no ${name}`));
    }
    readBody(request, (error, body) => {
      if (error !== null) return refuse(error);
      const search = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
      route.answer({ request, search, body }).then(send, refuse);
    });
  });
  // Malformed HTTP gets no further than this.
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  });
  return {
    server,
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => resolve(undefined));
      }),
    leave() {
      leaving = true;
    },
  };
}

function routesOf({ features, clock, controlPlane, metricsText }: FeatureAppOptions): ReadonlyMap<string, Route> {
  const feastWrites = createFeastWrites(features, controlPlane);
  return new Map<string, Route>([
    [
      "POST /features",
      {
        async answer({ body }) {
          const request = ownRequest(readJson(body));
          const { plan, reader } = await features.open(request.ask);
          const at = request.at ?? clock.now();
          return json(writeOwnAnswer(plan, await reader.read(ownRows(plan, request), at), at));
        },
      },
    ],
    ["GET /features", { answer: async () => json(JSON.stringify(describeCatalog(await features.catalog()))) }],
    [
      "POST /get-online-features",
      {
        feast: true,
        async answer({ body }) {
          const request = feastRequest(readJson(body));
          const { plan, reader } = await features.open(request.ask);
          const columns = feastColumns(plan, request);
          const rows = feastRows(plan, request);
          return json(writeFeastAnswer(plan, columns, rows, await reader.read(rows, clock.now())));
        },
      },
    ],
    ...feastWrites.map(({ path, write }): [string, Route] => [
      `POST ${path}`,
      {
        feast: true,
        answer: ({ request, search, body }) => write(readJson(body), search, request.headers.authorization),
      },
    ]),
    ["GET /health", { open: true, answer: async () => ((await isReady(features)) ? EMPTY : { status: 503, body: "" }) }],
    ["GET /healthz", { open: true, answer: async () => json('{"ok":true}') }],
    [
      "GET /readyz",
      {
        open: true,
        async answer() {
          const { views } = await features.catalog();
          return json(JSON.stringify({ ready: true, views: views.length }));
        },
      },
    ],
    [
      "GET /metrics",
      { answer: async () => ({ status: 200, body: await metricsText(), type: "text/plain; version=0.0.4; charset=utf-8" }) },
    ],
  ]);
}

const isReady = (features: OnlineFeatures) =>
  features.catalog().then(
    () => true,
    () => false,
  );

function readBody(request: IncomingMessage, done: (error: OrreryError | null, body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_LIMIT) chunks.push(chunk);
    // What comes after is let go by, so that the client can read why.
    else chunks.length = 0;
  });
  request.on("end", () => {
    if (bytes > BODY_LIMIT)
      return done(featureServerErrors.FEATURE_SERVER_BODY_REFUSED(`The body has ${bytes} bytes, more than ${BODY_LIMIT}`), "");
    done(null, chunks.length === 1 ? chunks[0].toString("utf8") : Buffer.concat(chunks).toString("utf8"));
  });
}

function answer(response: ServerResponse, status: number, body: string | Buffer, type: string): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, { "content-type": type, "content-length": bytes.length });
  response.end(bytes);
}

function refusal(error: unknown, feast: boolean, { onFailure }: FeatureAppOptions): Answer {
  const ours = toOrreryError(error);
  if (ours.kind === "internal") onFailure?.(ours);
  if (feast) return { status: feastErrorStatus(ours), body: feastErrorBody(ours) };
  const status = ours.code === "SERVING_TOKEN_REQUIRED" ? 401 : ERROR_KINDS[ours.kind].status;
  return { status, body: JSON.stringify(ours.toJSON()) };
}
