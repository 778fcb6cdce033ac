import { expressionNames } from "../data/index.ts";
import { type FeatureReference, type ModelDefinition, type ProjectDefinition, storedView } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { unknownColumn } from "./check-source.ts";
import { checkExpression, type Findings } from "./finding.ts";
import { reportUnknownFeatures } from "./model-features.ts";

/** A model's label, features, segments and rule, and whether it asks for what is not known when it is asked. */
export async function checkModel(
  engine: TableEngine,
  project: ProjectDefinition,
  model: ModelDefinition,
  findings: Findings,
): Promise<void> {
  const where = `model ${model.name}`;
  const { source, expression, name, at } = model.labels;
  const { target } = project.charter;
  if (!project.sources.includes(source))
    findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `The source ${source.name} of its labels is not in the project`);
  if (target.name !== name)
    findings.add(where, "PROJECT_TARGET_MISMATCH", `Its label is ${name}, the charter's target ${target.name}`);
  if (!(at in source.contracts)) findings.add(where, "PROJECT_COLUMN_UNKNOWN", unknownColumn(source, at));
  else if (source.contracts[at]?.type !== "timestamp")
    findings.add(where, "PROJECT_COLUMN_TYPE", `Its labels are dated by ${at}, which is no timestamp`);
  else refuseLater(model, at, `Its labels are dated by ${at}`, findings);
  await checkExpression(engine, findings, where, source, expression, target.type);
  if (target.censored !== undefined) await checkExpression(engine, findings, "charter", source, target.censored, "binary");
  const ids = model.features.map(({ id }) => id);
  for (const id of new Set(ids.filter((each, i) => ids.indexOf(each) !== i)))
    findings.add(where, "PROJECT_NAME_TWICE", `It takes the feature ${id} twice`, "Name each feature once.");
  if (ids.length === 0) findings.add(where, "PROJECT_VALUE_INVALID", "It has no features", "Give it at least one.");
  for (const feature of model.features) checkFeature(project, model, feature, findings);
  const segments = new Set([...Object.keys(source.contracts), ...ids, ...model.features.map((feature) => feature.name)]);
  for (const segment of model.segments)
    if (!segments.has(segment))
      findings.add(where, "PROJECT_COLUMN_UNKNOWN", `The segment ${segment} is neither a column of ${source.name} nor a feature`);
  reportUnknownFeatures(model, "What it says is immutable", model.immutable, findings);
  const { alternative } = project.charter;
  if (alternative !== undefined) await checkRule(engine, alternative.condition, model, findings);
}

/** The rule is evaluated on the rows that the model gets, so it can only speak of the model's features. */
async function checkRule(engine: TableEngine, condition: string, model: ModelDefinition, findings: Findings) {
  const ids = model.features.map(({ id }) => id.replace(/^on-demand\./, "on_demand.").toLowerCase());
  try {
    for (const parts of await expressionNames(engine, condition)) {
      const name = parts.join(".");
      if (!ids.includes(name.toLowerCase()))
        findings.add("charter", "PROJECT_REFERENCE_UNKNOWN", `The rule reads ${name}, which is no feature of ${model.name}`);
    }
  } catch (error) {
    if (!(error instanceof OrreryError)) throw error;
    findings.add("charter", "PROJECT_EXPRESSION_INVALID", error.message);
  }
}

const NUMBERS: readonly string[] = ["int32", "int64", "float64", "bool"];

/** Keys and request fields of training rows are columns of the label's source: they must be there, and known when it is asked. */
function checkFeature(project: ProjectDefinition, model: ModelDefinition, feature: FeatureReference, findings: Findings): void {
  const where = `model ${model.name}`;
  const { source } = model.labels;
  const { from, id, keys, request } = feature;
  if (from.kind === "feature-view") {
    if (!project.features.includes(storedView(from)))
      findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `Its feature ${id} is of a view that is not in the project`);
    const namesake = project.features.find(({ name }) => name.toLowerCase() === from.name.toLowerCase());
    if (from.alias !== undefined && namesake !== undefined)
      findings.add(where, "PROJECT_NAME_TWICE", `It asks for ${storedView(from).name} as ${from.name}, which is a view itself`);
  } else {
    for (const input of from.inputs) checkFeature(project, model, input, findings);
  }
  for (const key of Object.keys(keys)) {
    if (!(key in source.contracts))
      findings.add(where, "PROJECT_KEY_MISSING", `${id} needs the key ${key}, which ${source.name} does not have`);
    else refuseLater(model, key, `${id} takes ${key} from the request`, findings);
  }
  for (const [field, type] of Object.entries(request)) {
    const there = source.contracts[field]?.type;
    if (there === undefined) {
      const why = `${id} takes ${field} from the request, but there is none to train on: ${unknownColumn(source, field)}`;
      findings.add(where, "PROJECT_COLUMN_UNKNOWN", why);
    } else {
      refuseLater(model, field, `${id} takes ${field} from the request`, findings);
      const isAlike = there === type || (NUMBERS.includes(there) && NUMBERS.includes(type));
      if (!isAlike)
        findings.add(where, "PROJECT_COLUMN_TYPE", `${id} takes ${field} as ${type}, but ${source.name}.${field} is ${there}`);
    }
  }
}

/** A column of a group that becomes known later than its row cannot be in a request: when it is asked, nobody knows it. */
function refuseLater({ name, labels }: ModelDefinition, column: string, what: string, findings: Findings): void {
  const { source } = labels;
  // The row's own times are known with the row, even where they date a group too.
  if (column === source.eventTime || column === source.availability.default) return;
  const groups = Object.entries(source.availability.groups);
  const later = groups.find(([, { columns, at }]) => columns.includes(column) || at === column);
  if (later === undefined) return;
  findings.add(
    `model ${name}`,
    "PROJECT_LEAK",
    `${what}, but it becomes known only with the group "${later[0]}" (${later[1].at})`,
  );
}
