import { resolve } from "node:path";
import type { Client } from "../../client/index.ts";
import { loadProject } from "../../platform/load-project.ts";
import { featureServerArguments } from "../../server/feature-process.ts";
import { type ConnectionOptions, connect, stateDirectory } from "../connection.ts";
import { consistencyText } from "../consistency-table.ts";
import { cliErrors } from "../errors.ts";
import { certificates, inForeground } from "../in-foreground.ts";
import { show, table } from "../output.ts";
import { timeAgo } from "../time-option.ts";

interface FeaturesOptions extends ConnectionOptions {
  host: string;
  port: string;
  workers: string;
  tokenFile?: string;
  sample?: string;
  since?: string;
  json?: boolean;
}

/** `orrery features list|materialize|statistics|versions|check-consistency|lineage|serve`. */
export default async function features(options: FeaturesOptions, action = "", name = ""): Promise<void> {
  if (action === "serve") return serve(options);
  if (!["list", "materialize", "statistics", "versions", "check-consistency", "lineage"].includes(action))
    throw cliErrors.CLI_ACTION_UNKNOWN(`There is no action "${action}"`);
  const { client, close } = await connect(options);
  try {
    if (action === "statistics") {
      const { items } = await client.features.statistics({ name, limit: 2 });
      show(options.json, items, () => compared(items));
    } else if (action === "versions") {
      const { items } = await client.features.versions({ name });
      show(options.json, items, () => table(items.map(versionRow)));
    } else if (action === "lineage") {
      const { items } = await client.features.lineage(name === "" ? {} : { of: name });
      const rows = items.map(({ feature, columns, inputs, versions, endpoints }) => ({
        feature,
        columns: columns.join(", "),
        "made of": inputs.join(", "),
        versions: versions.map(({ model, version, aliases }) => [`${model}@${version}`, ...aliases].join(" ")).join(", "),
        endpoints: endpoints.join(", "),
      }));
      show(options.json, items, () => table(rows));
    } else if (action === "check-consistency") {
      const report = await client.features.checkConsistency({
        ...(options.sample === undefined ? {} : { sample: Number(options.sample) }),
        ...(options.since === undefined ? {} : { since: timeAgo(options.since) }),
      });
      show(options.json, report, () => consistencyText(report));
      if (report.mismatched > 0)
        throw cliErrors.CLI_FEATURES_INCONSISTENT(`${report.mismatched} of ${report.compared} feature values are wrong`);
    } else if (action === "materialize") {
      const done = await client.features.materialize({});
      show(options.json, done, () =>
        table(
          done.views.map(({ view, version = null, rows, entities, halted = null }) => ({
            view,
            "earlier version": version,
            rows,
            entities,
            "stays as it is": halted,
          })),
        ),
      );
    } else {
      const { items } = await client.features.list();
      const rows = items.map(({ name, keys, features, materializedUntil, earlierVersions }) => ({
        view: name,
        keys: keys.join(", "),
        features: features.length,
        "online until": materializedUntil,
        "earlier versions": earlierVersions,
      }));
      show(options.json, items, () => table(rows));
    }
  } finally {
    await close();
  }
}

type Version = Awaited<ReturnType<Client["features"]["versions"]>>["items"][number];

const versionRow = ({ version, current, since, materializedUntil, readers, unusedSince, halted }: Version) => ({
  version: current ? `${version} (current)` : version,
  since,
  "online until": materializedUntil,
  "read by": readers.map((reader) => `${reader.endpoint}: version ${reader.version} (${reader.alias})`).join(", "),
  "unused since": unusedSince,
  "stays as it is": halted,
});

type Statistics = Awaited<ReturnType<Client["features"]["statistics"]>>["items"];

/** The last materialization's figures, and how far its means have moved from those of the one before, in its standard deviations. */
function compared([last, before]: Statistics): string {
  if (last === undefined) return "nothing has been materialized yet";
  const rows = last.features.map(({ feature, entities, nulls, min, mean, max, std, distinct }) => {
    const earlier = before?.features.find((each) => each.feature === feature);
    const moved = earlier?.mean == null || mean === null || !earlier.std ? null : (mean - earlier.mean) / earlier.std;
    return {
      feature,
      null: entities === 0 ? "" : `${((100 * nulls) / entities).toFixed(1)}%`,
      min: shown(min),
      mean: shown(mean),
      max: shown(max),
      std: shown(std),
      distinct: distinct ?? "",
      moved: moved === null ? "" : moved.toFixed(2),
    };
  });
  return `until ${last.until}: ${last.rows} rows, ${last.entities} entities\n${table(rows)}`;
}

const shown = (figure: number | null) => (figure === null ? "" : String(Number(figure.toPrecision(5))));

/** In the foreground until it is told to stop. The control plane is not needed to read; writes go through it. */
async function serve(options: FeaturesOptions): Promise<void> {
  const { name } = await loadProject(resolve(options.project));
  const args = featureServerArguments({
    stateDirectory: stateDirectory(options),
    scope: { workspace: "default", project: name },
    host: options.host,
    port: Number(options.port),
    workers: Number(options.workers),
    ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
  });
  return inForeground(args, await certificates(options));
}
