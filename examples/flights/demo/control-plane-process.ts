import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineErrors } from "../../../src/core/errors.ts";
import type { DemoProject } from "./prepare-project.ts";

const CLI = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

const demoErrors = defineErrors({
  DEMO_CONTROL_PLANE_ENDED: { kind: "unavailable", hint: "The log in .orrery/demo/.orrery/logs tells more." },
});

export interface ControlPlaneProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** `orrery up` on a virtual clock, in a process of its own as anybody would run it. */
export async function startControlPlane(project: DemoProject, at: string, port: number): Promise<ControlPlaneProcess> {
  const child = spawn(
    process.execPath,
    [
      CLI,
      "up",
      "--project",
      project.directory,
      "--state",
      project.state,
      "--clock",
      "virtual",
      "--at",
      at,
      "--port",
      String(port),
    ],
    { stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const url = await listening(child);
  return { url, stop: () => stop(child) };
}

async function listening(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk));
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk;
      const url = /up at (http\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("exit", () => {
      const [message = "", hint] = said.trim().split("\n");
      reject(
        demoErrors.DEMO_CONTROL_PLANE_ENDED(
          message.replace(/^orrery: /, "The control plane did not start: "),
          hint === undefined ? {} : { hint: hint.trim() },
        ),
      );
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

export const logFile = (project: DemoProject): string => join(project.state, "logs", "control-plane.log");
