import type { EndpointDefinition, ProjectDefinition } from "../../core/definitions/index.ts";
import { OrreryError } from "../../core/errors.ts";
import { createExplainer } from "../../core/explain/index.ts";
import type { FeatureValue } from "../../core/features/index.ts";
import { type PredictionRecord, readCurrent, servingErrors } from "../../core/serving/index.ts";
import { unpackModel } from "../../core/training/index.ts";
import { platformErrors } from "../../platform/errors.ts";
import { findPrediction, latestPredictions } from "../../platform/prediction-log.ts";
import { packagedVersion } from "../../platform/stages/packaged-version.ts";
import type { RoomHandlers } from "../handlers.ts";
import { findInference } from "../inference-process.ts";
import { time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function endpointHandlers({ platform }: RouteContext): RoomHandlers<"endpoints"> {
  const { project, paths, artifacts } = platform;
  return {
    async list() {
      const items = project.endpoints.map(async ({ name, model }) => {
        const current = readCurrent(paths.deployment(name));
        const server = await findInference(paths.run, name);
        const [route] = current?.routes ?? [];
        const plan = route === undefined ? null : unpackModel(await artifacts.read(route.artifact)).plan;
        return {
          name,
          model: model.name,
          url: server?.url ?? null,
          ready: server !== null && current !== null,
          revision: current?.revision ?? null,
          routes: (current?.routes ?? []).map(({ alias, version, share }) => ({ alias, version, share })),
          keys: { ...plan?.keys },
          request: { ...plan?.request },
        };
      });
      return { items: await Promise.all(items) };
    },
    async predictions({ name, limit }) {
      const directory = paths.predictions(endpointNamed(project, name).name);
      return { items: (await latestPredictions(platform.engine, directory, limit)).map(predictionEntity) };
    },
    async predict({ name, instances }) {
      const server = await findInference(paths.run, endpointNamed(project, name).name);
      if (server === null) throw servingErrors.SERVING_NOT_DEPLOYED(`The inference server of ${name} does not answer`);
      const token = process.env.ORRERY_TOKEN;
      const answer = await fetch(`${server.url}/v1/endpoints/${encodeURIComponent(name)}/predict`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          // Tried out in a replay, a request is asked at the replay's time.
          "orrery-virtual-time": time(platform.clock.now()),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ instances }),
      });
      const body = await answer.json();
      if (!answer.ok) throw OrreryError.fromJSON(body as ReturnType<OrreryError["toJSON"]>);
      return body as {
        predictions: {
          id: string;
          probability: number;
          decision: boolean;
          modelVersion: number;
          alias: string;
          missing: string[];
        }[];
      };
    },
  };
}

/** Enough to rank features of a model that only sampling explains, and few enough not to hold up other requests. */
const KERNEL_EVALUATIONS = 512;

export function predictionHandlers({ platform }: RouteContext): RoomHandlers<"predictions"> {
  const { project, paths, artifacts, registry, tracking } = platform;
  const find = async (id: string): Promise<PredictionRecord> => {
    for (const { name } of project.endpoints) {
      const found = await findPrediction(platform.engine, paths.predictions(name), id);
      if (found !== null) return found;
    }
    throw platformErrors.PROJECT_PREDICTION_UNKNOWN(`There is no prediction "${id}" in the log`);
  };
  return {
    get: async ({ id }) => predictionEntity(await find(id)),
    async explain({ id }) {
      const record = await find(id);
      const model = unpackModel(await artifacts.read(record.artifact));
      const { method, scale, base, output, contributions } = createExplainer(model, { evaluations: KERNEL_EVALUATIONS })(
        model.plan.features.map((feature): FeatureValue => record.features[feature.id] ?? null),
      );
      return {
        predictionId: id,
        model: model.model,
        version: record.version,
        method,
        scale,
        base,
        output,
        probability: record.probability,
        contributions: contributions.map(({ feature, value, phi }) => ({ feature, value, phi })),
      };
    },
    async counterfactuals({ id }) {
      const record = await find(id);
      const { name } = endpointNamed(project, record.endpoint).model;
      const { runId } = packagedVersion(await registry.version(name, record.version));
      const sample = (await tracking.artifacts(runId)).find(({ path }) => path === "background.json");
      if (sample === undefined)
        throw platformErrors.PROJECT_REPORT_MISSING(`Version ${record.version} of ${name} has no training rows to compare with`);
      const answer = await platform.counterfactuals({
        model: name,
        package: record.artifact,
        sample: sample.sha256,
        features: record.features,
      });
      return {
        predictionId: id,
        model: name,
        version: record.version,
        outcome: answer.outcome,
        goal: answer.goal,
        prediction: answer.prediction,
        counterfactuals: answer.counterfactuals.map(({ changes, distance, prediction }) => ({
          changes: changes.map(({ feature, from, to }) => ({ feature, from, to })),
          distance,
          prediction,
        })),
        changeable: [...answer.changeable],
        immutable: [...answer.immutable],
      };
    },
  };
}

function endpointNamed({ endpoints }: ProjectDefinition, name: string): EndpointDefinition {
  const found = endpoints.find((each) => each.name === name);
  if (found === undefined) throw platformErrors.PROJECT_ENDPOINT_UNKNOWN(`The project has no endpoint "${name}"`);
  return found;
}

const predictionEntity = (record: PredictionRecord) => ({
  id: record.id,
  endpoint: record.endpoint,
  at: time(record.at),
  reference: record.reference,
  probability: record.probability,
  decision: record.decision,
  version: record.version,
  alias: record.alias,
  missing: [...record.missing],
  keys: { ...record.keys },
  request: { ...record.request },
  features: { ...record.features },
  latencyMs: record.latencyUs.total / 1_000,
  traceId: record.traceId,
});
