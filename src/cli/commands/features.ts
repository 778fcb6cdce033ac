import { resolve } from "node:path";
import { loadProject } from "../../platform/load-project.ts";
import { featureServerArguments } from "../../server/feature-process.ts";
import { type ConnectionOptions, connect, stateDirectory } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { certificates, inForeground } from "../in-foreground.ts";
import { show, table } from "../output.ts";

interface FeaturesOptions extends ConnectionOptions {
  host: string;
  port: string;
  workers: string;
  tokenFile?: string;
  json?: boolean;
}

/** `orrery features list|materialize|serve`. */
export default async function features(options: FeaturesOptions, action = ""): Promise<void> {
  if (action === "serve") return serve(options);
  if (action !== "list" && action !== "materialize") throw cliErrors.CLI_ACTION_UNKNOWN(`There is no action "${action}"`);
  const { client, close } = await connect(options);
  try {
    if (action === "materialize") {
      const done = await client.features.materialize({});
      show(options.json, done, () => table(done.views));
    } else {
      const { items } = await client.features.list();
      const rows = items.map(({ name, keys, features, materializedUntil }) => ({
        view: name,
        keys: keys.join(", "),
        features: features.length,
        "online until": materializedUntil,
      }));
      show(options.json, items, () => table(rows));
    }
  } finally {
    await close();
  }
}

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
