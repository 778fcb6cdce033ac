import { z } from "zod";
import { pushAnswer, sourceShape } from "../../contract/index.ts";
import type { ControlPlaneClient } from "./control-plane-client.ts";
import { featureServerErrors } from "./errors.ts";
import type { FeastWrite } from "./feast-writes.ts";
import type { OnlineFeatures } from "./online-features.ts";
import { isObject, type JsonObject } from "./read-json.ts";

type Source = z.output<typeof sourceShape>;
type Value = string | number | boolean | null;

const sources = z.object({ items: z.array(sourceShape) });
/** What the control plane takes at once. */
const ROWS_AT_ONCE = 10_000;
/** What Feast's clients call the time of an event, whatever the source does. */
const EVENT_TIMESTAMP = "event_timestamp";
const DESTINATIONS = ["online", "offline", "online_and_offline"];

const invalid = (message: string) => featureServerErrors.FEATURE_SERVER_REQUEST_INVALID(message);

/**
 * Feast's routes that bring rows: /push to a source by its name, /write-to-online-store to the source of a view. Rows are durable in the
 * source's log and online when this answers; `to: "offline"` does not wait for the second.
 */
export function createFeastPushes(features: OnlineFeatures, controlPlane: ControlPlaneClient): FeastWrite[] {
  async function push(source: Source, frame: JsonObject, online: boolean, authorization: string | undefined): Promise<void> {
    const rows = rowsOf(source, frame);
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      const some = rows.slice(start, start + ROWS_AT_ONCE);
      const path = `/sources/${encodeURIComponent(source.name)}/rows`;
      const { quarantined, problems } = pushAnswer.parse(await controlPlane.post(path, { rows: some, online }, authorization));
      if (quarantined === 0) continue;
      const named = problems.map(({ row, problem }) => `row ${start + row + 1}: ${problem}`).join(", ");
      throw featureServerErrors.FEATURE_SERVER_ROWS_QUARANTINED(
        `${quarantined} rows for ${source.name} break its contract and were kept apart (${named}); the others are taken`,
      );
    }
  }
  const known = async (authorization: string | undefined) =>
    sources.parse(await controlPlane.get("/sources", authorization)).items;

  return [
    {
      path: "/push",
      async write({ push_source_name: name, df, to = "online" }, _search, authorization) {
        if (typeof name !== "string") throw invalid("push_source_name takes a name");
        if (!DESTINATIONS.includes(String(to))) throw invalid(`to takes ${DESTINATIONS.join(", ")}`);
        const source = (await known(authorization)).find((each) => each.name === name && each.kind === "push");
        if (source === undefined)
          throw featureServerErrors.FEATURE_SERVER_SOURCE_UNKNOWN(`Unable to find push source '${name}'.`);
        await push(source, frameOf(df), to !== "offline", authorization);
        return { status: 200, body: "" };
      },
    },
    {
      path: "/write-to-online-store",
      async write({ feature_view_name: name, df }, _search, authorization) {
        if (typeof name !== "string") throw invalid("feature_view_name takes a name");
        const view = (await features.catalog()).views.find((each) => each.name === name);
        if (view === undefined) throw featureServerErrors.FEATURE_SERVER_VIEW_UNKNOWN(`There is no feature view "${name}"`);
        const source = (await known(authorization)).find((each) => each.name === view.source);
        if (source?.kind !== "push")
          throw featureServerErrors.FEATURE_SERVER_NOT_PUSHED(
            `Feature view "${name}" reads source "${view.source}", to which rows are not pushed`,
          );
        await push(source, frameOf(df), true, authorization);
        return { status: 200, body: "null" };
      },
    },
  ];
}

function frameOf(df: unknown): JsonObject {
  if (isObject(df)) return df;
  throw invalid("df takes an object with a list for each column");
}

/**
 * The rows of a data frame with the columns that the source has; Feast's clients send a time of creation, and others, as well.
 * @throws FEATURE_SERVER_REQUEST_INVALID
 */
function rowsOf({ name, columns, key, eventTime }: Source, frame: JsonObject): Record<string, Value>[] {
  const taken: [column: string, values: readonly unknown[]][] = [];
  for (const [given, values] of Object.entries(frame)) {
    const isEventTime = given === EVENT_TIMESTAMP && eventTime !== null && !Object.hasOwn(frame, eventTime);
    const column = isEventTime && !Object.hasOwn(columns, given) ? eventTime : given;
    if (!Object.hasOwn(columns, column)) continue;
    if (!Array.isArray(values)) throw invalid(`df.${given} takes a list`);
    taken.push([column, values]);
  }
  const missing = [...key, ...(eventTime === null ? [] : [eventTime])].filter(
    (column) => !taken.some(([each]) => each === column),
  );
  if (missing.length > 0)
    throw invalid(`df lacks ${[...new Set(missing)].join(", ")}; source ${name} has ${Object.keys(columns).join(", ")}`);
  const lengths = new Set(taken.map(([, values]) => values.length));
  if (lengths.size > 1) throw invalid(`The columns of df have different lengths: ${[...lengths].join(", ")}`);
  const [rows = 0] = lengths;
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(taken.map(([column, values]) => [column, scalar(column, values[row], row)])),
  );
}

function scalar(column: string, value: unknown, row: number): Value {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw invalid(`df.${column}.${row} takes one value, not a list or an object`);
}
