import { openSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { pushedStatistics } from "../../core/features/index.ts";
import { readStatistics, recordStatistics } from "../view-statistics.ts";
import type { Stage } from "./stage.ts";

/** Notes what the rows that were pushed since the last time made of the views over them: the control plane brings them online as they come. */
export async function recordPushedStatistics({ project, paths, environment, online }: Stage): Promise<void> {
  const views = project.features.filter(({ source }) => source.origin.kind === "push");
  if (views.length === 0) return;
  const { scope, now } = environment;
  const log = openSqlitePushLog(paths.push, { readOnly: true });
  try {
    for (const view of views) {
      const path = paths.statistics(view.name);
      const [last] = await readStatistics(path, 1);
      const before = last?.pushed === undefined ? null : { until: last.until, pushed: last.pushed };
      const done = await pushedStatistics({ online: online(), log }, { scope, view, now }, before);
      if (done !== null) await recordStatistics(path, done);
    }
  } finally {
    log.close();
  }
}
