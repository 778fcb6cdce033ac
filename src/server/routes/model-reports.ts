import type { z } from "zod";
import { entities } from "../../contract/index.ts";
import { type CharterDefinition, isBinaryCharter } from "../../core/definitions/index.ts";
import { diffVersions } from "../../core/registry/index.ts";
import type { Evaluation } from "../../core/training/index.ts";
import { type CandidateSummary, ONNX_PROBLEM } from "../../platform/effects.ts";
import { platformErrors } from "../../platform/errors.ts";
import type { StoredExploration } from "../../platform/stages/explain.ts";
import type { StoredExplanation } from "../../platform/stages/model-explanations.ts";
import { versionFacts } from "../../platform/version-facts.ts";
import type { Call, RoomHandlers } from "../handlers.ts";
import { estimates } from "./entity-values.ts";
import { diffEntity, lineageEntity } from "./model-entities.ts";
import { modelFolder } from "./model-folder.ts";
import type { ModelRoomsOf } from "./models.ts";
import { MOST_REPORT_BYTES, storedEntity } from "./stored-entity.ts";

/** The answer has the file in memory, as text within JSON. */
const MOST_ONNX_BYTES = 128 * 1024 * 1024;

/** What can be read of a version, its run and its package. */
export function modelReportHandlers(
  roomsOf: ModelRoomsOf,
): Pick<RoomHandlers<"models">, "report" | "exploration" | "onnx" | "folder" | "lineage" | "dependents" | "diff"> {
  /** What a version's run has logged under a path; null where it has not, or where there is no run. */
  async function versionFiles(call: Call, name: string, version: number) {
    const { registry, tracking, artifacts } = roomsOf(call.scope);
    const { runId } = await registry.version(name, version);
    const files = new Map((runId === null ? [] : await tracking.artifacts(runId)).map((artifact) => [artifact.path, artifact]));
    return {
      runId,
      file: (path: string) => files.get(path) ?? null,
      async text(path: string) {
        const found = files.get(path);
        if (found === undefined || found.bytes > MOST_REPORT_BYTES) return null;
        return Buffer.from(await artifacts.read(found.sha256)).toString("utf8");
      },
    };
  }

  return {
    async report({ name, version }, call) {
      const isBinary = isBinaryTarget(roomsOf(call.scope).charter);
      const { text } = await versionFiles(call, name, version);
      const stored = async <Stored, Schema extends z.ZodType>(
        path: string,
        schema: Schema,
        entity: (stored: Stored) => unknown,
      ): Promise<z.output<Schema> | null> => {
        const found = await text(path);
        return found === null ? null : storedEntity(schema, () => entity(JSON.parse(found)));
      };
      const { candidates, test, explanation } = entities.modelReport.shape;
      const [allCandidates, onTest, explained, card] = await Promise.all([
        stored("candidates.json", candidates, (all: CandidateSummary[]) => all.map(candidateEntity)),
        stored("test.json", test, (evaluation: Evaluation) => evaluationEntity(evaluation, isBinary)),
        stored("explanation.json", explanation, (summary: StoredExplanation) => explanationEntity(summary, isBinary)),
        text("card.md"),
      ]);
      return {
        model: name,
        version,
        candidates: allCandidates ?? [],
        test: onTest,
        explanation: explained,
        cardMarkdown: card ?? "This version has no model card.",
      };
    },
    async exploration({ name, version }, call) {
      const { text } = await versionFiles(call, name, version);
      const found = await text("exploration.json");
      const target = roomsOf(call.scope).charter?.target.name ?? "the target";
      const entity = (json: string) => ({ model: name, version, ...explorationEntity(JSON.parse(json), target) });
      const exploration = found === null ? null : storedEntity(entities.exploration, () => entity(found));
      if (exploration === null) throw platformErrors.PROJECT_REPORT_MISSING(`Version ${version} of ${name} has no exploration`);
      return exploration;
    },
    async onnx({ name, version }, call) {
      const { tracking, artifacts } = roomsOf(call.scope);
      const { file, runId } = await versionFiles(call, name, version);
      const found = file("model.onnx");
      if (found === null) {
        const problem = runId === null ? undefined : (await tracking.runs.record(runId)).params[ONNX_PROBLEM];
        throw platformErrors.PROJECT_ONNX_MISSING(
          `Version ${version} of ${name} has no ONNX file: ${problem ?? "whatever registered it left none"}`,
        );
      }
      if (found.bytes > MOST_ONNX_BYTES)
        throw platformErrors.PROJECT_ONNX_MISSING(
          `The ONNX file of version ${version} of ${name} has ${found.bytes} bytes, too many for this answer`,
          { hint: "Download it from the artifacts of the version's run." },
        );
      const content = Buffer.from(await artifacts.read(found.sha256)).toString("base64");
      return { model: name, version, sha256: found.sha256, bytes: found.bytes, content };
    },
    async folder({ name, version }, call) {
      const { registry, tracking } = roomsOf(call.scope);
      const { location } = await registry.version(name, version);
      return { model: name, version, files: await modelFolder(tracking, `Version ${version} of ${name}`, location) };
    },
    lineage: async ({ name, version }, call) => lineageEntity(await roomsOf(call.scope).registry.lineage(name, version)),
    async dependents({ name }, call) {
      const { registry, decisions } = roomsOf(call.scope);
      const found = await registry.dependents(name);
      return {
        source: name,
        items: found.map((each) => ({
          ...each,
          aliases: [...each.aliases],
          endpoints: decisions.servedBy(each.model, each.version),
        })),
      };
    },
    async diff({ name, from, to }, call) {
      const rooms = roomsOf(call.scope);
      const [before, after] = await Promise.all([versionFacts(rooms, name, from), versionFacts(rooms, name, to)]);
      return diffEntity(name, diffVersions(before, after));
    },
  };
}

/** Where nobody says what the target is, what was stored is shown as it is. */
const isBinaryTarget = (charter: CharterDefinition | null) => charter === null || isBinaryCharter(charter);

const candidateEntity = ({ name, selected, selection }: CandidateSummary) => ({
  name,
  selected,
  metrics: estimates(selection.metrics),
});

const evaluationEntity = (test: Evaluation, isBinary: boolean) => ({
  rows: test.rows,
  positives: isBinary ? test.positives : null,
  days: test.days,
  metrics: estimates(test.metrics),
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
