import { isBinaryCharter } from "../../core/definitions/index.ts";
import type { Gate, ModelVersion, Promotion } from "../../core/registry/index.ts";
import { systemActor } from "../../core/scope.ts";
import type { Evaluation } from "../../core/training/index.ts";
import { type CandidateSummary, deployEverywhere, ONNX_PROBLEM } from "../../platform/effects.ts";
import { platformErrors } from "../../platform/errors.ts";
import type { StoredExploration } from "../../platform/stages/explain.ts";
import type { StoredExplanation } from "../../platform/stages/model-explanations.ts";
import type { RoomHandlers } from "../handlers.ts";
import { estimates, finite, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function modelHandlers({ platform }: RouteContext): RoomHandlers<"models"> {
  const { registry, tracking, artifacts, clock, project } = platform;
  const isBinary = isBinaryCharter(project.charter);

  async function modelEntity(name: string) {
    const [model, versions, promotions, gates] = await Promise.all([
      registry.model(name),
      registry.versions(name),
      registry.promotions(name),
      registry.gates(name),
    ]);
    return {
      name,
      createdAt: time(model.createdAt),
      aliases: { ...model.aliases },
      versions: versions.map((version) => versionEntity(version, model.aliases)),
      promotions: promotions.map(promotionEntity),
      gates: gates.map(gateEntity),
    };
  }

  /** What a version's run has logged under a path; null where it has not. */
  async function versionFiles(name: string, version: number) {
    const { runId } = await registry.version(name, version);
    const files = new Map((await tracking.artifacts(runId)).map((artifact) => [artifact.path, artifact]));
    return {
      runId,
      file: (path: string) => files.get(path) ?? null,
      async text(path: string) {
        const found = files.get(path);
        return found === undefined ? null : Buffer.from(await artifacts.read(found.sha256)).toString("utf8");
      },
    };
  }

  return {
    async list() {
      return { items: await Promise.all((await registry.models()).map(({ name }) => modelEntity(name))) };
    },
    get: ({ name }) => modelEntity(name),
    async report({ name, version }) {
      const { text } = await versionFiles(name, version);
      const json = async <T>(path: string) => {
        const found = await text(path);
        return found === null ? null : (JSON.parse(found) as T);
      };
      const [candidates, test, explanation, card] = await Promise.all([
        json<CandidateSummary[]>("candidates.json"),
        json<Evaluation>("test.json"),
        json<StoredExplanation>("explanation.json"),
        text("card.md"),
      ]);
      return {
        model: name,
        version,
        candidates: (candidates ?? []).map((candidate) => ({
          name: candidate.name,
          selected: candidate.selected,
          metrics: estimates(candidate.selection.metrics),
        })),
        test:
          test === null
            ? null
            : { rows: test.rows, positives: isBinary ? test.positives : null, days: test.days, metrics: estimates(test.metrics) },
        explanation: explanation === null ? null : explanationEntity(explanation, isBinary),
        cardMarkdown: card ?? "This version has no model card.",
      };
    },
    async exploration({ name, version }) {
      const { text } = await versionFiles(name, version);
      const found = await text("exploration.json");
      if (found === null) throw platformErrors.PROJECT_REPORT_MISSING(`Version ${version} of ${name} has no exploration`);
      return { model: name, version, ...explorationEntity(JSON.parse(found) as StoredExploration, project.charter.target.name) };
    },
    async onnx({ name, version }) {
      const { file, runId } = await versionFiles(name, version);
      const found = file("model.onnx");
      if (found === null) {
        const why = (await tracking.runs.get(runId)).params[ONNX_PROBLEM] ?? "it was registered before there were any";
        throw platformErrors.PROJECT_ONNX_MISSING(`Version ${version} of ${name} has no ONNX file: ${why}`);
      }
      const content = Buffer.from(await artifacts.read(found.sha256)).toString("base64");
      return { model: name, version, sha256: found.sha256, bytes: found.bytes, content };
    },
    async promote({ name, version, alias, reason, idempotencyKey }, { actor }) {
      const gate = (await registry.gates(name, version)).find(({ passed }) => passed);
      const promotion = await registry.promote({
        model: name,
        version,
        alias,
        reason,
        idempotencyKey,
        actor,
        ...(gate === undefined ? {} : { gateId: gate.id }),
      });
      await deployEverywhere(platform, name, clock.now(), reason);
      return promotionEntity(promotion);
    },
    async rollback({ name, alias, reason, idempotencyKey }, { actor }) {
      const promotion = await registry.rollback({ model: name, alias, reason, idempotencyKey, actor });
      // A canary of what is being rolled back to or from would go on beside it.
      await registry.setAlias({
        model: name,
        alias: "challenger",
        version: promotion.toVersion,
        actor: systemActor("rollback"),
        reason,
      });
      await deployEverywhere(platform, name, clock.now(), reason);
      return promotionEntity(promotion);
    },
  };
}

const versionEntity = (version: ModelVersion, aliases: Readonly<Record<string, number>>) => ({
  model: version.model,
  version: version.version,
  aliases: Object.keys(aliases).filter((alias) => aliases[alias] === version.version),
  runId: version.runId,
  artifact: version.artifact,
  createdAt: time(version.createdAt),
  actor: version.actor,
  description: version.description,
});

const promotionEntity = ({ model: _, at, ...promotion }: Promotion) => ({ ...promotion, at: time(at) });

export const verdictEntity = ({ text, passed, observed, required, detail }: Gate["verdicts"][number]) => ({
  text,
  passed,
  observed: finite(observed),
  required: finite(required),
  detail,
});

const gateEntity = (gate: Gate) => ({
  id: gate.id,
  version: gate.version,
  championVersion: gate.championVersion,
  openedAt: time(gate.openedAt),
  passed: gate.passed,
  verdicts: gate.verdicts.map(verdictEntity),
});

const explanationEntity = ({ shap, permutation, segments }: StoredExplanation, isBinary: boolean) => ({
  scale: shap.scale ?? "log-odds",
  shap: [...shap.shap],
  permutation: permutation.features.map(({ feature, drop }) => ({ feature, drop })),
  sample: shap.sample.map(({ feature, points }) => ({ feature, points: [...points] })),
  segments: segments.map((segment) => ({
    ...segment,
    positives: isBinary ? segment.positives : null,
    metrics: estimates(segment.metrics),
  })),
});

const strongestFirst = (a: { readonly explained: number }, b: { readonly explained: number }) => b.explained - a.explained;

const explorationEntity = (
  {
    rows,
    sampledRows,
    balance,
    relations,
    suspicions,
    classes = [],
  }: Omit<StoredExploration, "classes"> & Partial<Pick<StoredExploration, "classes">>,
  target: string,
) => ({
  rows,
  sampledRows,
  balance:
    balance === null
      ? null
      : {
          classes: balance.classes.map((each) => ({
            // Of a binary target there are no names but its own.
            name: classes[each.class] ?? (each.class === 1 ? target : `not ${target}`),
            rows: each.rows,
            share: { value: each.share.value, low: each.share.low, high: each.share.high },
          })),
          imbalance: balance.imbalance,
        },
  relations: relations
    .toSorted(strongestFirst)
    .map(({ feature, explained, spearman, auc }) => ({ feature, explained, spearman, auc })),
  suspicions: suspicions.map(({ feature, kind, figure, says }) => ({ feature, kind, figure, says })),
});
