import { spawn } from "node:child_process";
import { type ConnectionOptions, findControlPlane } from "./connection.ts";

/** Runs node with these arguments until it ends or is told to, and ends as it does. */
export async function inForeground(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, ...environment } });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((done) => child.once("exit", (code) => done(code ?? 1)));
}

/** The certificate of the server on this state folder, which no authority has to have signed, for node's environment. */
export async function certificates(options: ConnectionOptions): Promise<Record<string, string>> {
  const certFile = (await findControlPlane(options))?.certFile;
  return certFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: certFile };
}
