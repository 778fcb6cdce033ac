import type { OrreryError } from "../errors.ts";
import type { FeaturePlan, FeatureValue, FeatureVectors } from "../features/index.ts";
import { type Clock, type EventLog, type OnlineStore, systemClock } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { sortableId } from "../tracking/index.ts";
import type { Score } from "../training/index.ts";
import { chooseRoute } from "./choose-route.ts";
import type { DeploymentSpec } from "./deployment.ts";
import { servingErrors } from "./errors.ts";
import { followDeployment, type RevisionListener } from "./follow-deployment.ts";
import type { LoadedDeployment, LoadedRoute } from "./load-deployment.ts";
import { aboutOf, type Instance, parseInstances } from "./parse-instances.ts";
import type { PredictionAnswer, PredictionRecord } from "./prediction-record.ts";

export interface RuntimeOptions {
  readonly endpoint: string;
  /** The endpoint's deployment folder. */
  readonly directory: string;
  readonly online: OnlineStore;
  readonly scope: Scope;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly onRevision?: RevisionListener;
}

/** Told about every stage of a request, "log" after the answer: begin and end as performance.now() gives them. */
export type StageObserver = (stage: "validate" | "read" | "predict" | "log", begin: number, end: number, version: number) => void;

export interface PredictContext {
  /** As of when features are read. */
  readonly at: Micros;
  readonly traceId: string | null;
  readonly observe?: StageObserver;
}

export interface EndpointRuntime {
  /** Takes up the newest revision that counts by now; keeps the one it has where that fails. Never rejects. */
  follow(): Promise<void>;
  readonly revision: DeploymentSpec | null;
  /** Why the revision that should be served is not. */
  readonly problem: OrreryError | null;
  /** What a request must carry. @throws SERVING_NOT_DEPLOYED */
  plan(): FeaturePlan;
  /**
   * Answers instances in their order, and logs them afterwards.
   * @throws SERVING_NOT_DEPLOYED, SERVING_REQUEST_INVALID with `details.issues`
   */
  predict(instances: readonly Instance[], context: PredictContext): Promise<PredictionAnswer[]>;
  /** Resolves when every answer given so far has been handed to the log: what to wait for before closing it. */
  logged(): Promise<void>;
}

/** Instances that are read and scored at a stretch; between stretches other requests get their turn. */
const SLICE = 100;

/** One endpoint in one inference process: its models in memory, swapped whole when a new revision counts. */
export function createEndpointRuntime(options: RuntimeOptions): EndpointRuntime {
  const { endpoint, log, clock } = options;
  const follower = followDeployment(options, clock, (revision, problem) => options.onRevision?.(revision, problem));
  /** Calls that are being answered, and answers that are not handed to the log yet. */
  let underWay = 0;

  function deployed(at: Micros): LoadedDeployment {
    const deployment = follower.deploymentAt(at);
    if (deployment !== null) return deployment;
    const { problem } = follower;
    const why = problem === null ? "" : `: ${problem.message}`;
    throw servingErrors.SERVING_NOT_DEPLOYED(`Nothing is deployed at the endpoint ${endpoint}${why}`, {
      ...(problem === null ? {} : { hint: problem.hint, details: { cause: problem.code } }),
    });
  }

  async function answer(instances: readonly Instance[], { at, traceId, observe }: PredictContext): Promise<Answered> {
    const started = performance.now();
    const { routes, spec } = deployed(at);
    const [first] = routes;
    const keys = Object.keys(first.model.plan.keys);
    const chosen = instances.map((instance) => (routes.length === 1 ? first : chooseRoute(routes, aboutOf(instance, keys))));
    const parsed = parseInstances(instances, (index) => chosen[index].model.plan);
    observe?.("validate", started, performance.now(), chosen[0].version);

    const answers = new Array<PredictionAnswer>(instances.length);
    const logging: (() => void)[] = [];
    for (const [route, mine] of slicesByRoute(chosen)) {
      if (logging.length > 0) await nextTurn();
      const begun = performance.now();
      const rows = mine.map((index) => parsed[index]);
      const vectors = await route.reader.read(rows, at);
      const read = performance.now();
      const scores = vectors.values.map((values) => route.predictor(values));
      const done = performance.now();
      observe?.("read", begun, read, route.version);
      observe?.("predict", read, done, route.version);
      mine.forEach((index, k) => {
        answers[index] = answerOf(route, scores[k], vectors.unknownEntities[k]);
      });
      const common = {
        endpoint,
        at,
        receivedAt: Math.round((performance.timeOrigin + started) * 1_000),
        revision: spec.revision,
        latencyUs: { read: micros(begun, read), predict: micros(read, done), total: micros(started, done) },
        traceId,
      };
      logging.push(() => {
        const begin = performance.now();
        mine.forEach((index, k) => {
          log.append({ ...common, ...recordOf(route, answers[index], instances[index], vectors, k, scores[k]) });
        });
        observe?.("log", begin, performance.now(), route.version);
      });
    }
    return { answers, logging };
  }

  /** When the answer is on its way: making and serialising records must not add to its latency, nor hold up other requests. */
  async function logAfterwards(slices: readonly (() => void)[]): Promise<void> {
    underWay++;
    for (const logSlice of slices) {
      await nextTurn();
      logSlice();
    }
    underWay--;
  }

  return {
    follow: follower.look,
    get revision() {
      return follower.current?.spec ?? null;
    },
    get problem() {
      return follower.problem;
    },
    plan: () => deployed(clock.now()).routes[0].model.plan,
    async predict(instances, context) {
      underWay++;
      try {
        const { answers, logging } = await answer(instances, context);
        void logAfterwards(logging);
        return answers;
      } finally {
        underWay--;
      }
    },
    async logged() {
      while (underWay > 0) await nextTurn();
    },
  };
}

interface Answered {
  readonly answers: PredictionAnswer[];
  /** Hands the records of a slice to the log, one call each. */
  readonly logging: readonly (() => void)[];
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Indices by the route that answers them, at most a slice at a time. */
function slicesByRoute(chosen: readonly LoadedRoute[]): [route: LoadedRoute, indices: number[]][] {
  const slices: [LoadedRoute, number[]][] = [];
  const growing = new Map<LoadedRoute, number[]>();
  chosen.forEach((route, index) => {
    const slice = growing.get(route);
    if (slice !== undefined && slice.length < SLICE) {
      slice.push(index);
      return;
    }
    const begun = [index];
    growing.set(route, begun);
    slices.push([route, begun]);
  });
  return slices;
}

function answerOf(route: LoadedRoute, { probability }: Score, missing: readonly string[]): PredictionAnswer {
  return {
    id: sortableId("pred", systemClock),
    probability,
    decision: probability >= route.model.decision.threshold,
    modelVersion: route.version,
    alias: route.alias,
    missing,
  };
}

type OwnPart = Omit<PredictionRecord, "endpoint" | "at" | "receivedAt" | "revision" | "latencyUs" | "traceId">;

function recordOf(
  route: LoadedRoute,
  answer: PredictionAnswer,
  instance: Instance,
  vectors: FeatureVectors,
  row: number,
  { score }: Score,
): OwnPart {
  const { plan } = route.model;
  const features: Record<string, FeatureValue> = {};
  plan.features.forEach(({ id }, index) => {
    features[id] = vectors.values[row][index];
  });
  const { reference } = instance;
  return {
    id: answer.id,
    reference: typeof reference === "string" ? reference : null,
    keys: pick(instance, plan.keys),
    request: pick(instance, plan.request),
    features,
    score,
    probability: answer.probability,
    decision: answer.decision,
    version: route.version,
    alias: route.alias,
    artifact: route.artifact,
    missing: answer.missing,
    materialized: vectors.materializedUntil,
  };
}

const pick = (instance: Instance, fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.keys(fields).map((field) => [field, instance[field] ?? null]));

const micros = (begin: number, end: number) => Math.round((end - begin) * 1_000);
