import { join } from "node:path";
import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import type { ProjectDefinition } from "../../core/definitions/index.ts";
import { toOrreryError } from "../../core/errors.ts";
import { catalogOf, writeCatalog } from "../../core/features/index.ts";
import type { StatePaths } from "../state-folder.ts";
import { openPushEngine } from "./push-engine.ts";
import { openPushRoom, type PushRoom, type PushSurroundings } from "./push-room.ts";

type Given = Omit<PushSurroundings, "sources" | "views" | "log" | "engine"> & {
  readonly project: ProjectDefinition;
  readonly paths: StatePaths;
};

/**
 * The push room of a project with the log and the engine that it needs; the online store is closed with it.
 * @throws PUSH_LOG_NEWER, PUSH_LOG_WRITE_FAILED
 */
export async function openPush({ project, paths, ...given }: Given): Promise<PushRoom> {
  const log = openSqlitePushLog(paths.push);
  // Of its own: a person's question must not hold up rows.
  const engine = await openPushEngine(join(paths.tmp, `duckdb-push-${process.pid}`));
  // Pushed rows can be read before anything is materialized; a store that is away now is written to by the next materialization.
  writeCatalog(given.online, given.scope, catalogOf(project)).catch((error: unknown) => {
    const { code, message } = toOrreryError(error);
    given.journal.error({ code }, `what can be asked of the online store is not written: ${message}`);
  });
  const room = openPushRoom({ ...given, sources: project.sources, views: project.features, log, engine });
  return {
    ...room,
    async close() {
      await room.close();
      engine.close();
      log.close();
      await given.online.close();
    },
  };
}
