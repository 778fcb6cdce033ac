import type { Clock, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { type Approvals, approvalRecords } from "./approvals.ts";
import { type Gates, gateRecords } from "./gates.ts";
import type { Versions } from "./interfaces.ts";
import { type Lineage, lineageRecords } from "./lineage.ts";
import { modelVersions } from "./model-versions.ts";
import { type Promotions, promotionRecords } from "./promotions.ts";
import { registeredModels } from "./registered-models.ts";
import { registryRows } from "./registry-rows.ts";
import { registrySearch } from "./search.ts";

/** Registered models of one project: their versions, what each alias points at, and how it came to. */
export interface Registry extends Versions, Gates, Approvals, Promotions, Lineage {}

export function createRegistry({
  store,
  clock,
  scope,
}: {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly scope: Scope;
}): Registry {
  const rows = registryRows(store, scope);
  return {
    ...registeredModels(store, clock, scope, rows),
    ...modelVersions(store, clock, scope, rows),
    ...registrySearch(store, scope, rows),
    ...gateRecords(store, clock, scope, rows),
    ...approvalRecords(store, clock, scope, rows),
    ...promotionRecords(store, clock, scope, rows),
    ...lineageRecords(store, scope, rows),
  };
}
