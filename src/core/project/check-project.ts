import type { PipelineDefinition, ProjectDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { checkCharter, checkTarget } from "./check-charter.ts";
import { checkFeatureView, checkJoinedSources, checkServices } from "./check-features.ts";
import { checkModel } from "./check-model.ts";
import { checkSource } from "./check-source.ts";
import { checkTraining } from "./check-training.ts";
import { collectFindings, type Findings, type ProjectFinding } from "./finding.ts";

/**
 * Everything that can be said about a project without data: names, references, contracts, expressions (parsed against the
 * declared columns, never run), whether a model asks for what is not known yet, and whether it can be trained and served as it says.
 * @param directory of the project file, where Python programs are looked for; absent: they are not
 */
export async function checkProject(
  project: ProjectDefinition,
  engine: TableEngine,
  directory?: string,
): Promise<readonly ProjectFinding[]> {
  const findings = collectFindings();
  checkNames(project, findings);
  for (const source of project.sources) await checkSource(engine, project, source, findings);
  for (const view of project.features) await checkFeatureView(engine, project, view, findings);
  checkServices(project, findings);
  checkJoinedSources(project, findings);
  if (!checkTarget(project, findings)) return findings.list;
  for (const model of project.models) {
    await checkModel(engine, project, model, findings);
    checkTraining(model, project.charter.target.type, directory ?? null, findings);
  }
  checkCharter(project, findings);
  for (const pipeline of project.pipelines) checkPipeline(project, pipeline, findings);
  const { type } = project.charter.target;
  for (const { name, model, canary } of project.endpoints) {
    const where = `endpoint ${name}`;
    if (type !== "binary")
      findings.add(where, "PROJECT_TASK_NOT_SERVED", `It would serve ${model.name}, whose target is ${type}`);
    if (!project.models.includes(model))
      findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `Its model ${model.name} is not in the project`);
    if (canary !== undefined && !(canary.share > 0 && canary.share < 1))
      findings.add(where, "PROJECT_VALUE_INVALID", `The canary's share is ${canary.share} and must lie between 0 and 1`);
  }
  return findings.list;
}

/** Names are parts of paths, of keys of the online store and of feature ids. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

function checkNames(project: ProjectDefinition, findings: Findings): void {
  const kinds = {
    project: [project],
    source: project.sources,
    view: project.features,
    "feature service": project.services,
    model: project.models,
    pipeline: project.pipelines,
    endpoint: project.endpoints,
  };
  for (const [kind, named] of Object.entries(kinds)) {
    const seen = new Set<string>();
    for (const { name } of named) {
      if (!NAME.test(name)) findings.add(`${kind} ${name}`, "PROJECT_NAME_INVALID", `"${name}" cannot be the name of a ${kind}`);
      // Some file systems do not tell upper from lower case.
      if (seen.has(name.toLowerCase()))
        findings.add(`${kind} ${name}`, "PROJECT_NAME_TWICE", `There are two of them called ${name}`);
      seen.add(name.toLowerCase());
    }
  }
}

const STAGE_NEEDS = [
  ["materialize", ["ingest"]],
  ["consistency", ["ingest", "materialize"]],
  ["monitor", ["ingest"]],
  ["training-set", ["ingest"]],
  ["train", ["training-set"]],
  ["evaluate", ["train"]],
  ["explain", ["evaluate"]],
  ["register", ["evaluate", "explain"]],
  ["gate", ["register"]],
  ["deploy", ["gate"]],
] as const;

function checkPipeline(project: ProjectDefinition, { name, model, stages }: PipelineDefinition, findings: Findings): void {
  const where = `pipeline ${name}`;
  if (!project.models.includes(model))
    findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `Its model ${model.name} is not in the project`);
  for (const [stage, needed] of STAGE_NEEDS) {
    const missing = stages.includes(stage) ? needed.filter((each) => !stages.includes(each)) : [];
    if (missing.length > 0) findings.add(where, "PROJECT_STAGE_INCOMPLETE", `The stage ${stage} needs ${missing.join(", ")}`);
  }
}
