import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isOnlineMade, openOnline } from "../adapters/online/open-online.ts";
import type { FeatureReference, ProjectDefinition } from "../core/definitions/index.ts";
import {
  isBreaking,
  onlineChange,
  type PlanChange,
  planChanges,
  projectReferences,
  readCatalog,
} from "../core/features/index.ts";
import { type ArtifactStore, type MetadataStore, systemClock, type TableEngine } from "../core/ports/index.ts";
import { createRegistry } from "../core/registry/index.ts";
import type { Scope } from "../core/scope.ts";
import { modelFile, readCurrent } from "../core/serving/index.ts";
import { unpackModel } from "../core/training/index.ts";
import type { StatePaths } from "./state-folder.ts";
import { openStores, type ProjectStoreSettings } from "./stores.ts";

/** What the project's definitions of today do to something that was made by earlier ones. */
export interface DefinitionChange {
  /** "view x", "model x version 3 (champion)" or "endpoint x". */
  readonly where: string;
  readonly feature: string | null;
  readonly says: string;
  /** An endpoint would stop answering. */
  readonly breaking: boolean;
}

interface State {
  readonly paths: StatePaths;
  readonly scope: Scope;
  readonly settings: ProjectStoreSettings;
}

/**
 * Compares the project with what was made from it: online values, models that have an alias, and deployments. Only reads; nothing where
 * there is no state yet.
 * @throws STATE_… where the state cannot be read, and what unpackModel throws
 */
export async function definitionChanges(
  project: ProjectDefinition,
  engine: TableEngine,
  state: State,
): Promise<DefinitionChange[]> {
  const { paths, scope, settings } = state;
  const known = projectReferences(project);
  const views = await viewChanges(project, engine, state);
  const endpoints = endpointChanges(paths, known);
  if (settings.database === null && !existsSync(paths.metadata)) return [...views, ...endpoints];
  const { store, artifacts, close } = await openStores(settings, paths, systemClock, { readOnly: true });
  try {
    return [...views, ...(await modelChanges(store, artifacts, scope, known)), ...endpoints];
  } finally {
    await close();
  }
}

async function viewChanges(
  project: ProjectDefinition,
  engine: TableEngine,
  { paths, scope, settings }: State,
): Promise<DefinitionChange[]> {
  const place = { url: settings.online, directory: paths.online };
  if (!isOnlineMade(place)) return [];
  const online = openOnline({ ...place, readOnly: true });
  try {
    const changes: DefinitionChange[] = [];
    const of = (view: string, says: string) => changes.push({ where: `view ${view}`, feature: null, says, breaking: false });
    for (const view of project.features) {
      const change = await onlineChange(engine, online, scope, view);
      if (change === "new") of(view.name, "will be materialized for the first time");
      if (change === "changed") of(view.name, "is defined otherwise: all of its online values will be made anew");
    }
    const before = (await readCatalog(online, scope))?.catalog.views ?? [];
    const stored = new Set(before.map(({ name, stored }) => stored ?? name));
    for (const name of stored)
      if (!project.features.some((view) => view.name === name))
        of(name, "is not in the project any more: its online values stay as they are and grow old");
    return changes;
  } finally {
    await online.close();
  }
}

/** What a version that has an alias was trained on and the project has no more: another training would not be comparable. */
async function modelChanges(
  store: MetadataStore,
  artifacts: ArtifactStore,
  scope: Scope,
  known: ReadonlyMap<string, FeatureReference>,
): Promise<DefinitionChange[]> {
  const registry = createRegistry({ store, clock: systemClock, scope });
  const changes: DefinitionChange[] = [];
  for (const { name, aliases } of await registry.models()) {
    for (const [version, pointing] of Map.groupBy(Object.entries(aliases), ([, version]) => version)) {
      const { artifact } = await registry.version(name, version);
      // Of what another tool has trained nothing is known.
      if (artifact === null || !(await artifacts.has(artifact))) continue;
      const where = `model ${name} version ${version} (${pointing.map(([alias]) => alias).join(", ")})`;
      const { plan } = unpackModel(await artifacts.read(artifact));
      changes.push(...planChanges(plan, known).map((change) => ({ ...changeAt(where, change), breaking: false })));
    }
  }
  return changes;
}

function endpointChanges(paths: StatePaths, known: ReadonlyMap<string, FeatureReference>): DefinitionChange[] {
  const folder = dirname(paths.deployment("any"));
  const endpoints = existsSync(folder) ? readdirSync(folder).sort() : [];
  return endpoints.flatMap((endpoint) => {
    const directory = paths.deployment(endpoint);
    const routes = readCurrent(directory)?.routes ?? [];
    const changes = routes.flatMap(({ artifact, alias, version }) => {
      const { plan } = unpackModel(readFileSync(modelFile(directory, artifact)));
      return planChanges(plan, known).map((change) => changeAt(`endpoint ${endpoint}, version ${version} (${alias})`, change));
    });
    return changes.filter(({ breaking }) => breaking);
  });
}

const changeAt = (where: string, change: PlanChange): DefinitionChange => ({
  where,
  feature: change.feature,
  says: change.says,
  breaking: isBreaking(change),
});
