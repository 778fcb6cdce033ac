import { storeSettings, useStores } from "../../platform/stores.ts";
import { serveTracking } from "../../server/tracking-server.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { accessPolicy, certificate, type ServerOptions, uploadLimit } from "../server-options.ts";
import { untilStopped } from "../until-stopped.ts";

interface TrackingOptions extends ConnectionOptions, ServerOptions {
  defaultProject: string;
}

export default async function server(options: TrackingOptions): Promise<void> {
  useStores(options);
  const running = await serveTracking({
    stateDirectory: stateDirectory(options),
    stores: storeSettings(),
    project: options.defaultProject,
    access: accessPolicy(options),
    port: Number(options.port),
    ...certificate(options),
    ...uploadLimit(options),
  });
  // Whoever reads the line may ask for the end at once.
  const stopped = untilStopped();
  console.log(`Orrery keeps track at ${running.url}`);
  console.log(`  export MLFLOW_TRACKING_URI=${options.publicUrl ?? running.url}`);
  await stopped;
  await running.close();
}
