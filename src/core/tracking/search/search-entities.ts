import { type RawBuilder, sql } from "kysely";
import { trackingErrors } from "../errors.ts";
import type { Search } from "../interfaces.ts";
import type { Condition } from "./check-filter.ts";
import { onDatasets, type Sql, type Target } from "./compile-filter.ts";
import { type Entity, experiments, loggedModels, modelVersions, registeredModels } from "./entities.ts";
import { compileConditions, conditionsOf, findPage, findRows, sortTerms, withinScope } from "./find-keys.ts";
import type { FindKeys, LoggedModelSearch, VersionKey } from "./interfaces.ts";
import { type OrderTerm, orderOf, parseOrderField, parseOrderTerm } from "./parse-order.ts";

/** Keys of what has no more to it than a filter and an order. */
const search =
  <Key>(entity: Entity, keyOf: (keys: readonly unknown[]) => Key): FindKeys<Key> =>
  async ({ db, engine }, scope, { filter, orderBy = [], view = "active", ...page }: Search) => {
    const target: Target = { entity, engine, scope, datasets: [] };
    const conditions = [...withinScope(target, view), ...compileConditions(conditionsOf(filter, entity), target)];
    const order = orderOf(
      orderBy.map((term) => parseOrderTerm(term, entity)),
      orderBy,
      entity,
    );
    const terms = sortTerms(order, target);
    const asked = { scope: [scope.workspace, scope.project, view], order: orderBy, filter: filter ?? "" };
    const find = (position: Parameters<typeof findRows>[1]["position"], limit: number) =>
      findRows(db, { target, conditions, terms, position, limit });
    return findPage(page, entity, order, asked, find, keyOf);
  };

const onlyKey = ([key]: readonly unknown[]): string => String(key);

/** Newest first. */
export const searchExperimentIds: FindKeys<string> = search(experiments, onlyKey);

/** Names, in their order. */
export const searchModelNames: FindKeys<string> = search(registeredModels, onlyKey);

/** Newest change first, then by name, then newest version first. */
export const searchVersionKeys: FindKeys<VersionKey> = search(modelVersions, ([model, version]) => ({
  model: String(model),
  version: Number(version),
}));

export const searchLoggedModelIds: FindKeys<string, LoggedModelSearch> = async ({ db, engine }, scope, asked) => {
  const { filter, orderBy = [], view = "active", experimentIds, datasets = [], ...page } = asked;
  if (datasets.some(({ name }) => name === "") || orderBy.some(({ dataset }) => dataset?.name === ""))
    throw trackingErrors.TRACKING_FILTER_INVALID("A data set to look at has a name", { details: { objection: "value" } });
  const target: Target = { entity: loggedModels, engine, scope, datasets };
  const order = orderOf(
    orderBy.map(({ field, ascending, dataset }): OrderTerm => {
      const subject = parseOrderField(field, loggedModels);
      return { subject, descending: !ascending, dataset: subject.of === "metric" ? dataset : undefined };
    }),
    orderBy.map(({ field }) => field),
    loggedModels,
  );
  const filtered = conditionsOf(filter, loggedModels);
  const conditions = [
    ...withinScope(target, view),
    experimentIds.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`logged_models.experiment_id in (${sql.join(experimentIds)})`,
    ...compileConditions(filtered, target),
    ...(datasets.length > 0 && !filtered.some(looksAtMetrics) ? [hasMetricOnDatasets(target)] : []),
  ];
  const terms = sortTerms(order, target);
  const everything = {
    scope: [scope.workspace, scope.project, view],
    experiments: experimentIds,
    order: orderBy,
    filter: [filter ?? "", datasets],
  };
  return findPage(
    page,
    loggedModels,
    order,
    everything,
    (position, limit) => findRows(db, { target, conditions, terms, position, limit }),
    onlyKey,
  );
};

function looksAtMetrics(condition: Condition): boolean {
  if (condition.kind === "test") return condition.subject.of === "metric";
  return condition.kind === "not" ? looksAtMetrics(condition.part) : condition.parts.some(looksAtMetrics);
}

function hasMetricOnDatasets({ entity, scope, datasets }: Target): Sql {
  const child = entity.rooms.metric;
  if (child === undefined) return sql`1 = 0`;
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${child.table}.${name}`);
  return sql`exists (select 1 from ${sql.table(child.table)}
    where ${column("workspace")} = ${scope.workspace} and ${column("project")} = ${scope.project}
    and ${column("model_id")} = logged_models.id and ${onDatasets(child, datasets)})`;
}
