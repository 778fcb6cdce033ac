import type { Loop, StageState } from "../../contract/index.ts";
import { type CharterDefinition, isBinaryCharter } from "../../core/definitions/index.ts";
import { readOnlineView } from "../../core/features/index.ts";
import { criterionText } from "../../core/registry/index.ts";
import { readCurrent } from "../../core/serving/index.ts";
import type { Platform } from "../../platform/platform.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";
import { verdictEntity } from "./model-entities.ts";
import { readAlerts } from "./monitoring.ts";

export function loopHandlers({ platform }: RouteContext): RoomHandlers<"loop"> {
  const { project, scope, clock } = platform;
  const { charter } = project;
  return {
    async get() {
      const alerts = await readAlerts(platform, {});
      const open = alerts.filter(({ status }) => status !== "resolved");
      return {
        ...scope,
        now: time(clock.now()),
        clock: clock.kind,
        stages: await stageStates(platform, open.length),
        charter: charterEntity(charter),
        acceptance: await championVerdicts(platform),
        alerts: open,
      };
    },
  };
}

function charterEntity(charter: CharterDefinition): Loop["charter"] {
  const { problem, owner, users, target, accept, decision, alternative } = charter;
  return {
    problem,
    act: decision?.act ?? null,
    threshold: isBinaryCharter(charter) && charter.decision.when.kind === "threshold" ? charter.decision.when.at : null,
    payoff: isBinaryCharter(charter) ? { trueNegative: 0, ...charter.decision.payoff } : null,
    alternative: alternative?.condition ?? null,
    owner,
    users: [...users],
    target: target.name,
    targetType: target.type,
    criteria: accept.map(criterionText),
  };
}

async function championVerdicts({ project, registry }: Platform) {
  const [model] = project.models;
  const champion = model === undefined ? null : await registry.byAlias(model.name, "champion");
  if (model === undefined || champion === null) return [];
  const [gate] = await registry.gates(model.name, champion.version);
  return gate?.verdicts.map(verdictEntity) ?? [];
}

/** The eight bodies of the loop, each with what it would say of itself. */
async function stageStates(platform: Platform, openAlerts: number): Promise<StageState[]> {
  const { project, tracking, registry, pipelines, paths } = platform;
  const [model] = project.models;
  const [snapshots, runs, versions, pipelineRuns] = await Promise.all([
    Promise.all(project.sources.map(({ name }) => tracking.latestSnapshot(name))),
    tracking.runs.search({ limit: 1 }),
    model === undefined ? [] : registry.versions(model.name),
    pipelines.list({ limit: 1 }),
  ]);
  const taken = snapshots.filter((snapshot) => snapshot !== null);
  const quarantined = taken.reduce((sum, { report }) => sum + report.quarantined, 0);
  const rows = taken.reduce((sum, snapshot) => sum + snapshot.rows, 0);
  const [lastRun] = runs.items;
  const [lastPipeline] = pipelineRuns.items;
  const champion = model === undefined ? null : await registry.byAlias(model.name, "champion");
  const online = platform.online();
  const [firstView] = project.features;
  const view = online === null || firstView === undefined ? null : await readOnlineView(online, platform.scope, firstView.name);
  const deployed = project.endpoints.map(({ name }) => readCurrent(paths.deployment(name))).filter((spec) => spec !== null);
  const canary = deployed.some(({ routes }) => routes.length > 1);
  const state = (
    stage: StageState["stage"],
    condition: StageState["state"],
    headline: string,
    detail: string,
    updatedAt: string | null,
  ): StageState => ({
    stage,
    state: condition,
    headline,
    detail,
    updatedAt,
  });
  return [
    state("problem", "healthy", project.charter.target.name, project.charter.problem, null),
    state(
      "data",
      taken.length < project.sources.length ? "idle" : quarantined > 0 ? "attention" : "healthy",
      `${rows.toLocaleString("en")} rows`,
      `${taken.length} of ${project.sources.length} sources taken in, ${quarantined} rows quarantined`,
      optionalTime(taken.reduce<number | null>((latest, { createdAt }) => Math.max(latest ?? 0, createdAt), null)),
    ),
    state(
      "features",
      view === null ? "idle" : "healthy",
      `${project.features.length} views`,
      view === null ? "not materialized yet" : `online up to ${time(view.until)}`,
      optionalTime(view?.until ?? null),
    ),
    state(
      "training",
      lastRun === undefined ? "idle" : "healthy",
      lastRun === undefined ? "no runs yet" : lastRun.name,
      lastRun === undefined ? "" : `by ${lastRun.actor}`,
      optionalTime(lastRun?.startedAt ?? null),
    ),
    state(
      "models",
      champion === null ? "idle" : "healthy",
      champion === null ? "no champion" : `version ${champion.version}`,
      `${versions.length} versions`,
      optionalTime(champion?.createdAt ?? null),
    ),
    state(
      "endpoints",
      deployed.length === 0 ? "idle" : canary ? "running" : "healthy",
      deployed.length === 0 ? "nothing deployed" : canary ? "canary" : "serving",
      deployed.map(({ endpoint, revision }) => `${endpoint} revision ${revision}`).join(", "),
      optionalTime(deployed[0]?.at ?? null),
    ),
    state(
      "monitoring",
      openAlerts > 0 ? "attention" : deployed.length === 0 ? "idle" : "healthy",
      openAlerts === 0 ? "no open alerts" : `${openAlerts} open alerts`,
      "",
      null,
    ),
    state(
      "pipelines",
      lastPipeline === undefined
        ? "idle"
        : lastPipeline.status === "running" || lastPipeline.status === "queued"
          ? "running"
          : lastPipeline.status === "failed"
            ? "attention"
            : "healthy",
      lastPipeline === undefined ? "no runs yet" : `${lastPipeline.pipeline} ${lastPipeline.status}`,
      lastPipeline?.trigger.reason ?? "",
      optionalTime(lastPipeline?.createdAt ?? null),
    ),
  ];
}
