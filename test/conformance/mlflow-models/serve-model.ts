import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const CLI = join(import.meta.dirname, "../../../src/cli/main.ts");

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** `orrery serve ADDRESS`, until it says where it listens. */
export async function serveModel(address: string, state: string, trackingUri: string): Promise<Served> {
  const args = ["--state", state, "serve", address, "--port", "0", "--tracking-uri", trackingUri];
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => (said += chunk));
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
      const found = /"listening":"(http[^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  return {
    url,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}
