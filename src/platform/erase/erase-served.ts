import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { eraseOnline, fieldsMatcher, readOnlineView } from "../../core/features/index.ts";
import { erasePredictions, type PredictionMatcher } from "../erase-predictions.ts";
import { type Erasing, ownKeys } from "./erasing.ts";

/** Takes predictions out of the logs of all endpoints there ever were; a dry run only counts. After the snapshots, whose label rows they refer to. */
export async function eraseLogs(work: Erasing): Promise<void> {
  const { opened, question, engines, note } = work;
  const declared = opened.project.endpoints.map(({ name }) => name);
  const there = await readdir(dirname(opened.paths.predictions("any"))).catch(() => []);
  for (const name of new Set([...declared, ...there])) {
    const directory = opened.paths.predictions(name);
    note("prediction", name, await erasePredictions(engines.engine, directory, matcherOf(work, name), question));
  }
}

function matcherOf({ opened, entities, reach, labels }: Erasing, endpoint: string): PredictionMatcher {
  const source = opened.project.endpoints.find(({ name }) => name === endpoint)?.model.labels.source.name ?? "";
  const isNamed = [...(reach.sources.get(source) ?? []), ownKeys(reach)].map((columns) => fieldsMatcher(columns, entities));
  const references = labels.references(source);
  return ({ keys, request, reference }) =>
    (reference !== null && references.has(reference)) || isNamed.some((matches) => matches({ ...request, ...keys }));
}

/** Takes online records of all views away, those of views that the project has no more too; a dry run only counts. */
export async function eraseRecords(work: Erasing): Promise<void> {
  const { opened, question, entities, reach, note } = work;
  const online = opened.online();
  const { scope } = opened.environment;
  const views = opened.project.features.map((view) => ({ view, ways: reach.sources.get(view.source.name) ?? [] }));
  for (const name of await storedViews(work)) {
    if (views.some(({ view }) => view.name === name)) continue;
    const stored = await readOnlineView(online, scope, name);
    if (stored === null) continue;
    const keys = Object.fromEntries(stored.keys.map((key) => [key, stored.keyTypes[key]]));
    if (Object.entries(reach.entity.keys).every(([key, type]) => keys[key] === type))
      note(
        "online record",
        name,
        await eraseOnline(online, {
          scope,
          view: { name, entity: { keys } },
          columns: ownKeys(reach),
          entities,
          dryRun: question.dryRun,
        }),
      );
  }
  for (const { view, ways } of views)
    for (const columns of ways)
      if (Object.values(columns).every((column) => Object.hasOwn(view.entity.keys, column)))
        note("online record", view.name, await eraseOnline(online, { scope, view, columns, entities, dryRun: question.dryRun }));
}

/** Names of the views that the store has an entry of. */
async function storedViews({ opened }: Erasing): Promise<ReadonlySet<string>> {
  const { workspace, project } = opened.environment.scope;
  const prefix = `${JSON.stringify([workspace, project]).slice(0, -1)},`;
  const names = new Set<string>();
  for await (const key of opened.online().keys(prefix)) {
    // Entities' keys have more behind the name.
    const name = /^"(?:[^"\\]|\\.)*"(?=\]$)/.exec(key.slice(prefix.length))?.[0];
    if (name !== undefined) names.add(JSON.parse(name) as string);
  }
  return names;
}
