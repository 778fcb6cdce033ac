import type { Snapshot } from "../../core/data/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import { readOnlineView } from "../../core/features/index.ts";
import { eraseErrors } from "../erase/errors.ts";
import { ingestAll } from "./ingest.ts";
import { materializeAll } from "./materialize.ts";
import { type Stage, stage } from "./stage.ts";

export interface RenewInput {
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  /** Whether what is online may be of newer deliveries than these snapshots: sources are read again, as far as they can be. */
  readonly readsSources: boolean;
}

export interface RenewOutput {
  /** What is online now is of these. */
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  /** Why sources could not be read; null where they were, or need not be. */
  readonly notRead: string | null;
}

/** Writes the views anew whose rows are others than those that are online; nothing where nothing was materialized yet. */
export default stage<RenewInput, RenewOutput>(async (opened, { snapshots, readsSources }) => {
  const { project, environment } = opened;
  const stored = project.features.map(({ name }) => readOnlineView(opened.online(), environment.scope, name));
  if ((await Promise.all(stored)).every((view) => view === null)) return { snapshots, notRead: null };
  const now = readsSources ? await deliveredNow(opened, snapshots) : { snapshots, notRead: null };
  refuseOthers(opened, now);
  await materializeAll(opened, now.snapshots);
  return now;
});

/** A source that cannot be read now is no reason to keep what is to be erased. */
async function deliveredNow(opened: Stage, previous: RenewInput["snapshots"]): Promise<RenewOutput> {
  try {
    const taken = await ingestAll(opened, previous, { countRows: false });
    const snapshots = Object.fromEntries([...taken].map(([name, { snapshot }]) => [name, snapshot]));
    return { snapshots, notRead: null };
  } catch (error) {
    return { snapshots: previous, notRead: toOrreryError(error).message };
  }
}

/** Rows from before a column got its name cannot be asked for it. @throws ERASE_PROJECT_CHANGED */
function refuseOthers({ project }: Stage, { snapshots, notRead }: RenewOutput): void {
  for (const { name, source } of project.features) {
    const snapshot = snapshots[source.name];
    if (snapshot === undefined || source.origin.kind === "push") continue;
    const missing = Object.keys(source.contracts).filter((column) => snapshot.columns[column] === undefined);
    if (missing.length === 0) continue;
    const why = notRead === null ? "" : `, and they cannot be read anew: ${notRead}`;
    throw eraseErrors.ERASE_PROJECT_CHANGED(
      `View "${name}" cannot be written anew: the rows of "${source.name}" have no ${missing.join(", ")}${why}`,
    );
  }
}
