import { existsSync } from "node:fs";
import { isOnlineMade, openOnline } from "../adapters/online/open-online.ts";
import type { FeatureReference, ProjectDefinition } from "../core/definitions/index.ts";
import {
  onlineChange,
  type PlanChange,
  planChanges,
  projectReferences,
  readCatalog,
  whyNotKept,
} from "../core/features/index.ts";
import { type ArtifactStore, type MetadataStore, systemClock, type TableEngine } from "../core/ports/index.ts";
import { createRegistry } from "../core/registry/index.ts";
import type { Scope } from "../core/scope.ts";
import { unpackModel } from "../core/training/index.ts";
import { deployedPlans } from "./deployed-plans.ts";
import type { StatePaths } from "./state-folder.ts";
import { openStores, type ProjectStoreSettings } from "./stores.ts";

/** What the project's definitions of today do to something that was made by earlier ones. */
export interface DefinitionChange {
  /** "view x", "model x version 3 (champion)" or "endpoint x". */
  readonly where: string;
  readonly feature: string | null;
  readonly says: string;
  /** An endpoint would stop answering, or its values would not be kept up to date any more. */
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
  const endpoints = await endpointChanges(project, engine, state, known);
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
      const change = await onlineChange(engine, online, scope, view, project.features);
      if (change === "new") of(view.name, "will be materialized for the first time");
      if (change === "changed")
        of(view.name, "is defined otherwise: its online values will be made anew, beside those that deployed models read");
    }
    const before = (await readCatalog(online, scope))?.catalog.views ?? [];
    const stored = new Set(before.map(({ name, stored }) => stored ?? name));
    for (const name of stored)
      if (!project.features.some((view) => view.name === name))
        of(name, "is not in the project any more: its online values are kept for the deployed models that read them");
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

/** What a deployed model reads and the project defines otherwise: the version that it was trained on goes on where that can be computed. */
async function endpointChanges(
  project: ProjectDefinition,
  engine: TableEngine,
  { paths, scope, settings }: State,
  known: ReadonlyMap<string, FeatureReference>,
): Promise<DefinitionChange[]> {
  const place = { url: settings.online, directory: paths.online };
  const online = isOnlineMade(place) ? openOnline({ ...place, readOnly: true }) : null;
  try {
    const changes: DefinitionChange[] = [];
    for (const { endpoint, version, alias, plan } of deployedPlans(paths, systemClock.now())) {
      const where = `endpoint ${endpoint}, version ${version} (${alias})`;
      for (const change of planChanges(plan, known)) {
        if (change.change === "code" || change.change === "ttl") continue;
        const view = plan.views.find(({ name, stored = name }) => stored === change.view);
        if (change.change === "retyped" || view === undefined || online === null) {
          changes.push({ ...changeAt(where, change), breaking: true });
          continue;
        }
        const why = await whyNotKept({ engine, online }, scope, view, { views: project.features, sources: project.sources });
        const then =
          why === null
            ? "the version that it was trained on goes on until another one is deployed"
            : `the version that it was trained on cannot go on: ${why}`;
        changes.push({ ...changeAt(where, change), says: `${change.says}; ${then}`, breaking: why !== null });
      }
    }
    return changes;
  } finally {
    await online?.close();
  }
}

const changeAt = (where: string, { feature, says }: PlanChange): Omit<DefinitionChange, "breaking"> => ({ where, feature, says });
