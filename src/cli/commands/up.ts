import { resolve } from "node:path";
import { systemClock, VirtualClock } from "../../core/ports/index.ts";
import { parseTimestamp } from "../../core/time.ts";
import { serveControlPlane } from "../../server/control-plane.ts";
import { accessToken, type ConnectionOptions, stateDirectory } from "../connection.ts";

interface UpOptions extends ConnectionOptions {
  host: string;
  port: string;
  tokenFile?: string;
  clock: string;
  at?: string;
  serve: boolean;
}

export default async function up(options: UpOptions): Promise<void> {
  const clock = options.clock === "virtual" ? new VirtualClock(parseTimestamp(options.at ?? "")) : systemClock;
  const plane = await serveControlPlane({
    projectDirectory: resolve(options.project),
    stateDirectory: stateDirectory(options),
    clock,
    access: { host: options.host, token: accessToken(options) },
    port: Number(options.port),
    startInference: options.serve,
    logLevel: "info",
  });
  console.log(`Orrery is up at ${plane.url}`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
    // A parent that started us with an IPC channel and went away takes us with it.
    process.once("disconnect", () => done());
  });
  await plane.close();
}
