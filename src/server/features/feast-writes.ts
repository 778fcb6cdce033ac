import { parseTimestamp } from "../../core/time.ts";
import type { Answer } from "./app.ts";
import type { ControlPlaneClient } from "./control-plane-client.ts";
import { featureServerErrors } from "./errors.ts";
import { createFeastPushes } from "./feast-pushes.ts";
import type { OnlineFeatures } from "./online-features.ts";
import type { JsonObject } from "./read-json.ts";

/** One of Feast's routes that change something. */
export interface FeastWrite {
  readonly path: string;
  write(body: JsonObject, search: URLSearchParams, authorization: string | undefined): Promise<Answer>;
}

const invalid = (message: string) => featureServerErrors.FEATURE_SERVER_REQUEST_INVALID(message);

export function createFeastWrites(features: OnlineFeatures, controlPlane: ControlPlaneClient): FeastWrite[] {
  /** Materializations that were accepted and go on. */
  let underWay: readonly string[] = [];

  /** Views whose names were given, or all of them. */
  async function viewsOf({ feature_views: names = null }: JsonObject): Promise<string[]> {
    const known = (await features.catalog()).views.map(({ name }) => name);
    if (names === null) return known;
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
      throw invalid("feature_views takes a list of names");
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) return names;
    throw featureServerErrors.FEATURE_SERVER_VIEW_UNKNOWN(`There is no feature view "${unknown}"`);
  }

  /** Orrery knows by itself what is new: rows that have become visible since the last time, up to now. */
  function materialize(times: readonly string[]): FeastWrite["write"] {
    return async (body, search, authorization) => {
      for (const name of times) {
        const given = body[name] ?? null;
        if (given !== null) timeOf(name, given);
      }
      const views = await viewsOf(body);
      const work = () => controlPlane.post("/features/materialize", {}, authorization);
      if (search.get("async") !== "true") {
        await work();
        return { status: 200, body: "null" };
      }
      const conflicting = views.filter((view) => underWay.includes(view));
      if (conflicting.length > 0 && search.get("force") !== "true") {
        const error = `Feature views are being materialized already: ${conflicting.join(", ")}`;
        return { status: 409, body: JSON.stringify({ error, feature_views: conflicting }) };
      }
      underWay = [...underWay, ...views];
      const done = () => {
        underWay = underWay.filter((view) => !views.includes(view));
      };
      // What becomes of it stands in the control plane's own log.
      work().then(done, done);
      return { status: 202, body: JSON.stringify({ status: "accepted", feature_views: views }) };
    };
  }

  return [
    { path: "/materialize", write: materialize(["start_ts", "end_ts"]) },
    { path: "/materialize-incremental", write: materialize(["end_ts"]) },
    ...createFeastPushes(features, controlPlane),
  ];
}

function timeOf(name: string, given: unknown): number {
  try {
    return parseTimestamp(String(given));
  } catch {
    throw invalid(`${name} takes an ISO 8601 timestamp`);
  }
}
