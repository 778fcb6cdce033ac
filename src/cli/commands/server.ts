import { storeSettings, useStores } from "../../platform/stores.ts";
import { serveTracking } from "../../server/tracking-server.ts";
import { accessToken, type ConnectionOptions, stateDirectory } from "../connection.ts";
import { untilStopped } from "../until-stopped.ts";

interface ServerOptions extends ConnectionOptions {
  host: string;
  port: string;
  database?: string;
  artifacts?: string;
  defaultProject: string;
  tokenFile?: string;
}

export default async function server(options: ServerOptions): Promise<void> {
  useStores(options);
  const running = await serveTracking({
    stateDirectory: stateDirectory(options),
    stores: storeSettings(),
    project: options.defaultProject,
    access: { host: options.host, token: accessToken(options) },
    port: Number(options.port),
  });
  console.log(`Orrery keeps track at ${running.url}`);
  console.log(`  export MLFLOW_TRACKING_URI=${running.url}`);
  await untilStopped();
  await running.close();
}
