import { dataErrors, expressionColumns, ingest } from "../data/index.ts";
import type { FeatureReference, ModelDefinition, ProjectDefinition, SourceDefinition } from "../definitions/index.ts";
import { OrreryError, toOrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { FINDINGS } from "./errors.ts";

export interface ProjectFinding {
  /** Where in the project: "model late-arrival", "source flights". */
  readonly where: string;
  readonly code: keyof typeof FINDINGS;
  readonly message: string;
  readonly hint: string;
}

type Report = (where: string, code: ProjectFinding["code"], message: string, hint?: string) => void;

/**
 * Everything that can be said about a project without data: names, references, expressions (parsed against the declared columns,
 * never run), and whether a model asks for what is not known yet.
 */
export async function checkProject(project: ProjectDefinition, engine: TableEngine): Promise<ProjectFinding[]> {
  const findings: ProjectFinding[] = [];
  const report: Report = (where, code, message, hint) => findings.push({ where, code, message, hint: hint ?? FINDINGS[code] });
  for (const [kind, named] of Object.entries({
    source: project.sources,
    view: project.features,
    model: project.models,
    pipeline: project.pipelines,
    endpoint: project.endpoints,
  })) {
    const names = named.map(({ name }) => name);
    for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i)))
      report(`${kind} ${name}`, "PROJECT_NAME_TWICE", `There are two of them called ${name}`);
  }
  for (const source of project.sources) checkSource(project, source, report);
  const tryExpression = expressionChecker(engine, report);
  for (const view of project.features) {
    const where = `view ${view.name}`;
    if (!project.sources.includes(view.source))
      report(where, "PROJECT_REFERENCE_UNKNOWN", `Its source ${view.source.name} is not in the project`);
    for (const { expression } of Object.values(view.aggregates))
      if (expression !== null) await tryExpression(where, view.source, expression);
  }
  for (const model of project.models) await checkModel(project, model, report, tryExpression);
  for (const { kind, source } of project.charter.data) {
    if (project.sources.some(({ name }) => name === source)) continue;
    report(
      "charter",
      "PROJECT_REFERENCE_UNKNOWN",
      `The requirement "${kind}" is about ${source}, which is not a source of the project`,
    );
  }
  for (const { name, model, stages } of project.pipelines) {
    if (!project.models.includes(model))
      report(`pipeline ${name}`, "PROJECT_REFERENCE_UNKNOWN", `Its model ${model.name} is not in the project`);
    for (const [stage, needed] of STAGE_NEEDS) {
      const missing = stages.includes(stage) ? needed.filter((each) => !stages.includes(each)) : [];
      if (missing.length > 0)
        report(`pipeline ${name}`, "PROJECT_STAGE_INCOMPLETE", `The stage ${stage} needs ${missing.join(", ")}`);
    }
  }
  for (const { name, model } of project.endpoints) {
    if (!project.models.includes(model))
      report(`endpoint ${name}`, "PROJECT_REFERENCE_UNKNOWN", `Its model ${model.name} is not in the project`);
  }
  return findings;
}

const STAGE_NEEDS = [
  ["materialize", ["ingest"]],
  ["monitor", ["ingest"]],
  ["training-set", ["ingest"]],
  ["train", ["training-set"]],
  ["evaluate", ["train"]],
  ["explain", ["evaluate"]],
  ["register", ["evaluate", "explain"]],
  ["gate", ["register"]],
  ["deploy", ["gate"]],
] as const;

function checkSource(project: ProjectDefinition, source: SourceDefinition, report: Report): void {
  const where = `source ${source.name}`;
  const columns = Object.keys(source.contracts);
  const named = [...source.key, ...Object.values(source.availability.groups).flatMap((group) => group.columns)];
  for (const column of named)
    if (!columns.includes(column)) report(where, "PROJECT_COLUMN_UNKNOWN", `It names ${column}, which it does not declare`);
  for (const [column, { reference }] of Object.entries(source.contracts)) {
    if (reference === undefined) continue;
    const [other, otherColumn = ""] = reference.split(".", 2);
    const found = project.sources.find(({ name }) => name === other);
    if (found === undefined || !(otherColumn in found.contracts))
      report(where, "PROJECT_REFERENCE_UNKNOWN", `${column} refers to ${reference}, which is not in the project`);
  }
}

type TryExpression = (where: string, source: SourceDefinition, expression: string) => Promise<void>;

const expressionChecker =
  (engine: TableEngine, report: Report): TryExpression =>
  async (where, source, expression) => {
    try {
      await expressionColumns(engine, source, expression);
    } catch (error) {
      report(where, "PROJECT_EXPRESSION_INVALID", toOrreryError(error).message);
    }
  };

async function checkModel(
  project: ProjectDefinition,
  model: ModelDefinition,
  report: Report,
  tryExpression: TryExpression,
): Promise<void> {
  const where = `model ${model.name}`;
  const { source, expression, name } = model.labels;
  const { target } = project.charter;
  if (target.name !== name) report(where, "PROJECT_TARGET_MISMATCH", `Its label is ${name}, the charter's target ${target.name}`);
  await tryExpression(where, source, expression);
  if (target.censored !== undefined) await tryExpression("charter", source, target.censored);
  for (const segment of model.segments)
    if (!(segment in source.contracts))
      report(where, "PROJECT_COLUMN_UNKNOWN", `The segment ${segment} is not a column of ${source.name}`);
  for (const feature of model.features) checkFeature(project, model, feature, where, report);
}

/** Keys and request fields of training rows are columns of the label's source: they must be there, and known when it is asked. */
function checkFeature(
  project: ProjectDefinition,
  { labels }: ModelDefinition,
  feature: FeatureReference,
  where: string,
  report: Report,
): void {
  const { from } = feature;
  if (from.kind === "feature-view" && !project.features.includes(from))
    report(where, "PROJECT_REFERENCE_UNKNOWN", `Its feature ${feature.id} is of a view that is not in the project`);
  for (const key of Object.keys(feature.keys)) {
    if (!(key in labels.source.contracts))
      report(where, "PROJECT_KEY_MISSING", `${feature.id} needs the key ${key}, which ${labels.source.name} does not have`);
  }
  for (const field of [...Object.keys(feature.request), ...Object.keys(feature.keys)]) {
    const later = Object.entries(labels.source.availability.groups).find(
      ([, { columns, at }]) => columns.includes(field) || at === field,
    );
    if (later !== undefined)
      report(
        where,
        "PROJECT_LEAK",
        `${feature.id} takes ${field} from the request, but it becomes known only with the group "${later[0]}" (${later[1].at})`,
      );
  }
  for (const field of Object.keys(feature.request)) {
    if (!(field in labels.source.contracts))
      report(
        where,
        "PROJECT_COLUMN_UNKNOWN",
        `${feature.id} takes ${field} from the request, but ${labels.source.name} has no such column to train on`,
      );
  }
}

/** Takes every source in, in a throw-away store, and tells what would stop it. */
export async function checkSources(
  sources: readonly SourceDefinition[],
  engines: Parameters<typeof ingest>[0],
  options: { projectDirectory: string; now: number },
): Promise<ProjectFinding[]> {
  const findings: ProjectFinding[] = [];
  const references = new Map<string, { snapshot: Awaited<ReturnType<typeof ingest>>; source: SourceDefinition }>();
  for (const source of sources) {
    try {
      const snapshot = await ingest(engines, source, {
        projectDirectory: options.projectDirectory,
        asOf: options.now,
        createdAt: options.now,
        references,
      });
      references.set(source.name, { snapshot, source });
    } catch (error) {
      if (!(error instanceof OrreryError)) throw error;
      // A source that refers to one that already failed says nothing new.
      if (error.code === dataErrors.DATA_REFERENCE_UNKNOWN("").code && findings.length > 0) continue;
      findings.push({
        where: `source ${source.name}`,
        code: "PROJECT_DATA",
        message: `${error.message} [${error.code}]`,
        hint: error.hint,
      });
    }
  }
  return findings;
}
