import type { EndpointDefinition } from "../core/definitions/index.ts";
import { systemActor } from "../core/scope.ts";
import { readCurrent } from "../core/serving/index.ts";
import type { Micros } from "../core/time.ts";
import { deployEverywhere } from "./effects.ts";
import type { Platform } from "./platform.ts";
import { compactPredictionLog, predictionRelation } from "./prediction-log.ts";

/** When the endpoint's canary has run for as long as it should; `null` where none runs. */
export function canaryEnds(platform: Platform, { name, canary }: EndpointDefinition): Micros | null {
  const current = readCurrent(platform.paths.deployment(name));
  if (current === null || canary === undefined || current.routes.length < 2) return null;
  return current.at + canary.for;
}

interface CanaryVerdict {
  readonly healthy: boolean;
  readonly text: string;
}

/** Makes the challenger champion if it answered as it should while it had its share, and withdraws it otherwise. Repeating it is harmless. */
export async function finishCanary(platform: Platform, endpoint: EndpointDefinition): Promise<void> {
  const { registry, paths, clock } = platform;
  const current = readCurrent(paths.deployment(endpoint.name));
  const challenger = current?.routes.find(({ alias }) => alias === "challenger");
  const champion = current?.routes.find(({ alias }) => alias === endpoint.alias);
  if (current === null || challenger === undefined || champion === undefined) return;
  const model = endpoint.model.name;
  const verdict = await judgeCanary(platform, endpoint, current.at, challenger.version);
  const gates = await registry.gates(model, challenger.version);
  const decision = {
    model,
    alias: endpoint.alias,
    version: challenger.version,
    actor: systemActor(`canary of ${endpoint.name}`),
    reason: `canary: ${verdict.text}`,
    idempotencyKey: `canary:${endpoint.name}:${current.revision}`,
  };
  const gate = gates.find(({ passed }) => passed);
  if (verdict.healthy) await registry.promote(gate === undefined ? decision : { ...decision, gateId: gate.id });
  else {
    await registry.reject(decision);
    await registry.setAlias({
      model,
      alias: "challenger",
      version: champion.version,
      actor: decision.actor,
      reason: decision.reason,
    });
  }
  await deployEverywhere(
    platform,
    model,
    clock.now(),
    verdict.healthy ? `version ${challenger.version} is champion` : `version ${challenger.version} was withdrawn`,
  );
}

async function judgeCanary(
  platform: Platform,
  { name, canary }: EndpointDefinition,
  since: Micros,
  version: number,
): Promise<CanaryVerdict> {
  const engine = await platform.engine();
  const directory = platform.paths.predictions(name);
  await compactPredictionLog(engine, directory);
  const relation = predictionRelation(directory, since, platform.clock.now() + 1);
  const [row] =
    relation === null
      ? []
      : await engine.rows(
          `SELECT count(*) FILTER (version = ${version}) AS answered, count(*) AS n, quantile_cont((latencyUs->>'total')::DOUBLE / 1000, 0.99) FILTER (version = ${version}) AS p99 FROM ${relation}`,
        );
  const answered = Number(row?.answered ?? 0);
  if (answered === 0) return { healthy: false, text: "it was never asked, so nothing is known of it" };
  const p99 = Number(row?.p99);
  const limit = platform.project.charter.accept.find((criterion) => criterion.kind === "latency");
  const share = answered / Number(row?.n);
  const text = `${answered} requests (${(share * 100).toFixed(1)}%, asked for ${((canary?.share ?? 0) * 100).toFixed(0)}%), p99 ${p99.toFixed(2)} ms`;
  return { healthy: limit === undefined || p99 <= limit.atMostMs, text };
}
