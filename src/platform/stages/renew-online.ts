import type { Snapshot } from "../../core/data/index.ts";
import { readOnlineView } from "../../core/features/index.ts";
import { type MaterializeOutput, materializeAll } from "./materialize.ts";
import { stage } from "./stage.ts";

/** Writes the views anew whose snapshots are others than those that are online; nothing where nothing was materialized yet. */
export default stage<{ readonly snapshots: Readonly<Record<string, Snapshot>> }, MaterializeOutput>(
  async (opened, { snapshots }) => {
    const { project, environment } = opened;
    const stored = project.features.map(({ name }) => readOnlineView(opened.online(), environment.scope, name));
    return (await Promise.all(stored)).every((view) => view === null) ? { views: [] } : materializeAll(opened, snapshots);
  },
);
