import type { FeatureViewDefinition } from "../definitions/index.ts";
import type { OnlineStore, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { compileView } from "./compile-view.ts";
import { readOnlineView } from "./online-entry.ts";
import { fingerprintOf } from "./online-view.ts";
import { keySetsOf, pushedFingerprint, pushIndexHash } from "./push-index.ts";

/**
 * What the next materialization makes of a view's online values: the first ones ("new"), all of them again because the definition is another
 * one ("changed"), or what is new since the last time ("same").
 * @param views all of the project's: what its views ask for decides how pushed rows are found
 * @throws FEATURE_RECORD_CORRUPT, and what compileView throws
 */
export async function onlineChange(
  engine: TableEngine,
  online: OnlineStore,
  scope: Scope,
  view: FeatureViewDefinition,
  views: readonly FeatureViewDefinition[],
): Promise<"new" | "changed" | "same"> {
  const stored = await readOnlineView(online, scope, view.name);
  if (stored === null) return "new";
  const compiled = await compileView(engine, view);
  const { source } = view;
  const isPushed = source.origin.kind === "push";
  const fingerprint = isPushed
    ? pushedFingerprint(compiled, pushIndexHash(source, keySetsOf(source, views)))
    : fingerprintOf(compiled);
  return stored.fingerprint === fingerprint ? "same" : "changed";
}
