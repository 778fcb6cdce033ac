import type { FeatureViewDefinition } from "../definitions/index.ts";
import type { OnlineStore, PushLog } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { recordLayout } from "./entity-record.ts";
import { StatisticsSample } from "./feature-statistics.ts";
import type { Materialization } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { entityPrefix } from "./online-view.ts";
import { keySetName } from "./push-index.ts";
import { addToSample } from "./write-records.ts";

/** How far the rows of a pushed view were looked at. */
export interface PushedPlace {
  /** Of the records; others are written anew, from the first row on. */
  readonly generation: string;
  /** Place in the log. */
  readonly to: number;
}

export interface PushedStatistics extends Materialization {
  readonly pushed: PushedPlace;
}

/** Entities whose records are read. */
const LOOKED_AT = 10_000;
const READ_AT_ONCE = 500;

/**
 * What a materialization would say of a view over pushed rows: the values at `now` of the entities that rows came of since the last time, or
 * of some of them. Null where the view is not online yet.
 * @param last until when and where it was looked at before
 */
export async function pushedStatistics(
  { online, log }: { readonly online: OnlineStore; readonly log: Pick<PushLog, "touched"> },
  { scope, view, now }: { readonly scope: Scope; readonly view: FeatureViewDefinition; readonly now: Micros },
  last: { readonly until: Micros; readonly pushed: PushedPlace } | null,
): Promise<PushedStatistics | null> {
  for (;;) {
    const stored = await readOnlineView(online, scope, view.name);
    if (stored?.pushedTo === undefined) return null;
    const { generation, pushedTo } = stored;
    const goesOn = last?.pushed.generation === generation;
    const range = { after: goesOn ? last.pushed.to : 0, upTo: pushedTo };
    const { rows, entities, some } = log.touched(view.source.name, keySetName(stored.keys), range, LOOKED_AT);
    const until = Math.max(now, stored.until);
    const sample = new StatisticsSample(stored, view.ttl ?? null, until);
    const layouts = recordLayout(stored);
    const prefix = entityPrefix(scope, view.name, generation);
    for (let first = 0; first < some.length; first += READ_AT_ONCE) {
      const keys = some.slice(first, first + READ_AT_ONCE).map((entity) => prefix + entity);
      const records = await online.getMany(keys);
      const found = keys.flatMap((key, at) => {
        const record = records[at] ?? null;
        return record === null ? [] : [{ key, record }];
      });
      await addToSample(sample, online, layouts, found);
    }
    // Records that were written anew meanwhile were not all there.
    if ((await readOnlineView(online, scope, view.name))?.generation !== generation) continue;
    const pushed = { generation, to: pushedTo };
    return { view: view.name, from: goesOn ? last.until : null, until, rows, entities, statistics: sample.result(), pushed };
  }
}
