import { resolve } from "node:path";
import { systemClock, VirtualClock } from "../../core/ports/index.ts";
import { parseTimestamp } from "../../core/time.ts";
import { useStores } from "../../platform/stores.ts";
import { serveControlPlane } from "../../server/control-plane.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { accessPolicy, certificate, type ServerOptions, uploadLimit } from "../server-options.ts";
import { untilStopped } from "../until-stopped.ts";

interface UpOptions extends ConnectionOptions, ServerOptions {
  clock: string;
  at?: string;
  serve: boolean;
}

export default async function up(options: UpOptions): Promise<void> {
  const clock = options.clock === "virtual" ? new VirtualClock(parseTimestamp(options.at ?? "")) : systemClock;
  useStores(options);
  const plane = await serveControlPlane({
    projectDirectory: resolve(options.project),
    stateDirectory: stateDirectory(options),
    clock,
    access: accessPolicy(options),
    port: Number(options.port),
    startInference: options.serve,
    logLevel: "info",
    ...certificate(options),
    ...uploadLimit(options),
  });
  // Whoever reads the line may ask for the end at once.
  const stopped = untilStopped();
  console.log(`Orrery is up at ${plane.url}`);
  console.log(`  export MLFLOW_TRACKING_URI=${options.publicUrl ?? plane.url}`);
  const told = plane.beside.then((servers) => {
    for (const { name, url } of servers) console.log(`  ${name} at ${url}`);
  });
  await stopped;
  await plane.close();
  await told;
}
