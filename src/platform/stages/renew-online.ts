import type { Snapshot } from "../../core/data/index.ts";
import { readOnlineView } from "../../core/features/index.ts";
import { type MaterializeOutput, materializeAll } from "./materialize.ts";
import { stage } from "./stage.ts";

/** Writes the views anew whose snapshots are others than those that are online; a view that is not online stays so. */
export default stage<{ readonly snapshots: Readonly<Record<string, Snapshot>> }, MaterializeOutput>(
  async (opened, { snapshots }) => {
    const online: Record<string, Snapshot> = {};
    for (const { name, source } of opened.project.features) {
      const snapshot = snapshots[source.name];
      if (snapshot === undefined || (await readOnlineView(opened.online(), opened.environment.scope, name)) === null) continue;
      online[source.name] = snapshot;
    }
    return Object.keys(online).length === 0 ? { views: [] } : materializeAll(opened, online);
  },
);
