import { aggregateValue, declaredExpression, expressionColumns, joinedCycle } from "../data/index.ts";
import {
  type FeatureReference,
  type FeatureViewDefinition,
  type ProjectDefinition,
  storedView,
  type ViewProblem,
  viewProblems,
} from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { TableEngine } from "../ports/index.ts";
import { unknownColumn } from "./check-source.ts";
import type { Findings, ProjectFinding } from "./finding.ts";

const CODES = {
  "view-name": "PROJECT_NAME_INVALID",
  name: "PROJECT_NAME_INVALID",
  twice: "PROJECT_NAME_TWICE",
  none: "PROJECT_VALUE_INVALID",
  key: "PROJECT_COLUMN_TYPE",
  column: "PROJECT_COLUMN_UNKNOWN",
  window: "PROJECT_VALUE_INVALID",
  time: "PROJECT_VALUE_INVALID",
} as const satisfies Record<ViewProblem["kind"], ProjectFinding["code"]>;

const HINTS: Partial<Record<ViewProblem["kind"], string>> = {
  name: 'Feature names are not empty and hold no "."; "on-demand" and "on_demand" are taken.',
  twice: "Names of a view's features differ in more than the letters' case.",
  window: 'Windows and ttl are longer than nothing: .over("24h"), ttl: "6h".',
  time: "Give the source an eventTime: without one its rows have no age.",
};

/** A view's source, keys, names, windows and expressions. */
export async function checkFeatureView(
  engine: TableEngine,
  project: ProjectDefinition,
  view: FeatureViewDefinition,
  findings: Findings,
): Promise<void> {
  const where = `view ${view.name}`;
  const { source } = view;
  if (!project.sources.includes(source))
    findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `Its source ${source.name} is not in the project`);
  if (view.alias !== undefined)
    findings.add(
      where,
      "PROJECT_VALUE_INVALID",
      `It is another name of ${storedView(view).name} and holds no values`,
      "List the view itself: its other names need not be listed.",
    );
  const keys = Object.keys(view.entity.keys).filter((key) => !(key in source.contracts));
  for (const column of [...keys, ...view.features])
    if (!(column in source.contracts)) findings.add(where, "PROJECT_COLUMN_UNKNOWN", unknownColumn(source, column));
  // Said already: of columns by name, and of the view's name with the project's other names.
  for (const { kind, message, hint = HINTS[kind] } of viewProblems(view))
    if (kind !== "column" && kind !== "view-name" && !(kind === "key" && keys.length > 0))
      findings.add(where, CODES[kind], message, hint);
  await checkSql(engine, view, findings);
}

/** Each SQL expression by itself, and whether its type is what the feature says or its function takes. */
async function checkSql(
  engine: TableEngine,
  { name, source, expressions, aggregates }: FeatureViewDefinition,
  findings: Findings,
) {
  const where = `view ${name}`;
  const check = async (expression: string, problem: (sqlType: string) => string | null) => {
    try {
      const { sqlType } = await expressionColumns(engine, source, expression);
      const message = problem(sqlType);
      if (message !== null) findings.add(where, "PROJECT_EXPRESSION_INVALID", message);
    } catch (error) {
      if (!(error instanceof OrreryError)) throw error;
      findings.add(where, "PROJECT_EXPRESSION_INVALID", error.message);
    }
  };
  for (const [feature, { expression, type }] of Object.entries(expressions))
    await check(expression, (sqlType) =>
      declaredExpression(expression, sqlType, type) === null
        ? `"${expression}" of ${feature} is ${sqlType} and no ${type}`
        : null,
    );
  for (const [feature, aggregate] of Object.entries(aggregates)) {
    const { fn, expression } = aggregate;
    if (expression === null) continue;
    await check(expression, (sqlType) =>
      aggregateValue(aggregate, sqlType) === null ? `${fn}("${expression}") of ${feature} is over ${sqlType}` : null,
    );
  }
}

/** Features that a service lists are the project's. */
export function checkServices(project: ProjectDefinition, findings: Findings): void {
  for (const service of project.services)
    for (const feature of service.features)
      for (const view of viewsOf(feature))
        if (!project.features.includes(storedView(view))) {
          const why = `Its feature ${feature.id} is of a view that is not in the project`;
          findings.add(`feature service ${service.name}`, "PROJECT_REFERENCE_UNKNOWN", why);
        }
}

/** Joined sources: what they are made of, and that none is made of itself. */
export function checkJoinedSources(project: ProjectDefinition, findings: Findings): void {
  for (const { name, origin } of project.sources) {
    if (origin.kind !== "joined") continue;
    const where = `source ${name}`;
    if (!project.sources.includes(origin.base))
      findings.add(where, "PROJECT_REFERENCE_UNKNOWN", `Its base ${origin.base.name} is not in the project`);
    for (const { source } of origin.features.flatMap(viewsOf))
      if (!project.sources.includes(source))
        findings.add(
          where,
          "PROJECT_REFERENCE_UNKNOWN",
          `It reads features of source ${source.name}, which is not in the project`,
        );
  }
  const cycle = joinedCycle(project.sources);
  if (cycle !== null)
    findings.add(
      "project",
      "PROJECT_REFERENCE_CYCLE",
      `Sources are made of one another: ${cycle}`,
      "Take one of the features out of its joined source.",
    );
}

const viewsOf = ({ from }: FeatureReference): FeatureViewDefinition[] =>
  from.kind === "feature-view" ? [from] : from.inputs.flatMap(viewsOf);
