import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type OrreryError, toOrreryError } from "../errors.ts";
import {
  checkRequest,
  createFeatureReader,
  type FeaturePlan,
  type FeatureReader,
  type FeatureValue,
  parseRequest,
} from "../features/index.ts";
import type { Clock, EventLog, OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { createPredictor, type ModelPackage, type Predictor, unpackModel } from "../training/index.ts";
import { chooseRoute } from "./choose-route.ts";
import { type DeploymentSpec, listRevisions, modelFile, type Route, readPointer, readRevision } from "./deployment.ts";
import { servingErrors } from "./errors.ts";
import type { PredictionAnswer, PredictionRecord } from "./prediction-record.ts";

export interface RuntimeOptions {
  readonly endpoint: string;
  /** The endpoint's deployment folder. */
  readonly directory: string;
  readonly online: OnlineStore;
  readonly scope: Scope;
  readonly log: EventLog;
  readonly clock: Clock;
  /** Told when a revision was taken up, or could not be. */
  readonly onRevision?: (revision: number, problem: OrreryError | null) => void;
}

/** Told about every stage of a request: begin and end as performance.now() gives them. */
export type StageObserver = (stage: "validate" | "read" | "predict", begin: number, end: number, version: number) => void;

interface LoadedRoute extends Route {
  readonly model: ModelPackage;
  readonly predictor: Predictor;
  readonly reader: FeatureReader;
}

interface Loaded {
  readonly spec: DeploymentSpec;
  readonly routes: readonly LoadedRoute[];
}

export interface EndpointRuntime {
  /** Takes up the newest revision that counts by now; keeps the one it has where that fails. */
  follow(): void;
  readonly revision: DeploymentSpec | null;
  /** What a request must carry. @throws SERVING_NOT_DEPLOYED */
  plan(): FeaturePlan;
  /**
   * Answers requests in their order, then logs them.
   * @throws SERVING_NOT_DEPLOYED, SERVING_REQUEST_INVALID with `details.issues`
   */
  predict(
    requests: readonly Readonly<Record<string, unknown>>[],
    context: { readonly at: Micros; readonly traceId: string | null; readonly observe?: StageObserver },
  ): Promise<PredictionAnswer[]>;
}

/** One endpoint in one inference process: its models in memory, swapped whole when a new revision counts. */
export function createEndpointRuntime(options: RuntimeOptions): EndpointRuntime {
  let loaded: Loaded | null = null;
  let pointerSeen: string | null = null;
  let waiting: DeploymentSpec | null = null;
  const packages = new Map<string, Omit<LoadedRoute, keyof Route>>();

  function load(spec: DeploymentSpec): Loaded {
    const routes = spec.routes.map((route): LoadedRoute => {
      const known = packages.get(route.artifact) ?? loadModel(options, route.artifact);
      packages.set(route.artifact, known);
      return { ...route, ...known };
    });
    for (const artifact of packages.keys()) if (!routes.some((route) => route.artifact === artifact)) packages.delete(artifact);
    return { spec, routes };
  }

  function take(spec: DeploymentSpec): void {
    try {
      loaded = load(spec);
      options.onRevision?.(spec.revision, null);
    } catch (error) {
      options.onRevision?.(spec.revision, toOrreryError(error));
    }
  }

  function follow(): void {
    const pointer = readPointer(options.directory);
    if (pointer !== pointerSeen) {
      pointerSeen = pointer;
      waiting = pointer === null ? null : (newestGood(options, Number(pointer), loaded?.spec.revision ?? 0) ?? waiting);
    }
    // A replay's clock may not have come to the moment from which the revision counts.
    if (waiting === null || (options.clock.kind === "virtual" && loaded !== null && waiting.at > options.clock.now())) return;
    const next = waiting;
    waiting = null;
    if (next.revision !== loaded?.spec.revision) take(next);
  }

  function current(): Loaded {
    if (waiting !== null) follow();
    if (loaded === null) throw servingErrors.SERVING_NOT_DEPLOYED(`Nothing is deployed at the endpoint ${options.endpoint}`);
    return loaded;
  }

  return {
    follow,
    get revision() {
      return loaded?.spec ?? null;
    },
    plan: () => (current().routes[0] as LoadedRoute).model.plan,
    async predict(requests, { at, traceId, observe }) {
      const started = performance.now();
      const { routes, spec } = current();
      const about = requests.map((request) =>
        chooseRoute(routes, typeof request.reference === "string" ? request.reference : JSON.stringify(request)),
      );
      const parsed = parseAll(requests, about);
      const validated = performance.now();
      const answers = new Array<PredictionAnswer>(requests.length);
      const records: PredictionRecord[] = [];
      for (const route of new Set(about)) {
        const mine = [...about.keys()].filter((i) => about[i] === route);
        const before = performance.now();
        const vectors = await route.reader.read(
          mine.map((i) => parsed[i] as Record<string, FeatureValue>),
          at,
        );
        const read = performance.now();
        const scores = vectors.values.map((values) => route.predictor(values));
        const done = performance.now();
        observe?.("read", before, read, route.version);
        observe?.("predict", read, done, route.version);
        const latencyUs = { read: (read - before) * 1_000, predict: (done - read) * 1_000, total: (done - started) * 1_000 };
        mine.forEach((i, k) => {
          const { score, probability } = scores[k] as { score: number; probability: number };
          const missing = vectors.unknownEntities[k] ?? [];
          const decision = probability >= route.model.decision.threshold;
          const id = predictionId();
          answers[i] = { id, probability, decision, modelVersion: route.version, alias: route.alias, missing };
          records.push({
            id,
            endpoint: options.endpoint,
            at,
            receivedAt: Math.round((performance.timeOrigin + started) * 1_000),
            ...requestOf(requests[i] as Record<string, unknown>),
            features: Object.fromEntries(
              route.model.plan.features.map((feature, f) => [feature.id, vectors.values[k]?.[f] ?? null]),
            ),
            score,
            probability,
            decision,
            version: route.version,
            alias: route.alias,
            artifact: route.artifact,
            revision: spec.revision,
            missing,
            latencyUs,
            traceId,
          });
        });
      }
      observe?.("validate", started, validated, (about[0] as LoadedRoute).version);
      // After the answer is on its way: serialising the records must not add to its latency.
      setImmediate(() => {
        for (const record of records) options.log.append(record);
      });
      return answers;
    },
  };
}

function requestOf({ reference, ...request }: Record<string, unknown>): Pick<PredictionRecord, "reference" | "request"> {
  return { reference: typeof reference === "string" ? reference : null, request };
}

/** The revision named by the pointer, or the newest readable one before it that is newer than what is loaded. */
function newestGood(options: RuntimeOptions, wanted: number, loaded: number): DeploymentSpec | null {
  for (const revision of listRevisions(options.directory)) {
    if (revision > wanted || revision <= loaded) continue;
    try {
      return readRevision(options.directory, revision);
    } catch (error) {
      options.onRevision?.(revision, toOrreryError(error));
    }
  }
  return null;
}

function loadModel({ directory, online, scope }: RuntimeOptions, artifact: string): Omit<LoadedRoute, keyof Route> {
  const model = unpackModel(readFileSync(modelFile(directory, artifact)));
  return { model, predictor: createPredictor(model), reader: createFeatureReader(model.plan, online, scope) };
}

function parseAll(
  requests: readonly Readonly<Record<string, unknown>>[],
  routes: readonly LoadedRoute[],
): Record<string, FeatureValue>[] {
  const issues = requests.flatMap((request, i) => {
    const { plan } = (routes[i] as LoadedRoute).model;
    return checkRequest(plan, request).map(({ path, message }) => ({ path: ["instances", i, path], message }));
  });
  const [first] = issues;
  if (first !== undefined)
    throw servingErrors.SERVING_REQUEST_INVALID(`${first.path.join(".")} ${first.message}`, { details: { issues } });
  return requests.map((request, i) => parseRequest((routes[i] as LoadedRoute).model.plan, request));
}

/** Sorts by time: 48 bits of milliseconds, then 80 random bits. */
function predictionId(): string {
  return `pred-${Date.now().toString(16).padStart(12, "0")}${randomBytes(10).toString("hex")}`;
}
