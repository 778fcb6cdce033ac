import type { Clock, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { type Gates, gateRecords } from "./gates.ts";
import { type Promotions, promotionRecords } from "./promotions.ts";
import { type Versions, versionRecords } from "./versions.ts";

/** Registered models of one project: their versions, what each alias points at, and how it came to. Versions are only ever added. */
export interface Registry extends Versions, Gates, Promotions {}

export function createRegistry({
  store,
  clock,
  scope,
}: {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly scope: Scope;
}): Registry {
  return {
    ...versionRecords(store, clock, scope),
    ...gateRecords(store, clock, scope),
    ...promotionRecords(store, clock, scope),
  };
}
