import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";

export interface ScoreRequest {
  readonly model: string;
  readonly rows: number;
  readonly batch: number;
  readonly inputs: readonly ScoreInput[];
  readonly outputs: readonly { readonly name: string; readonly file: string }[];
}

export type ScoreInput =
  | { readonly name: string; readonly type: "double"; readonly file: string }
  | { readonly name: string; readonly type: "string"; readonly file: string; readonly categories: readonly string[] };

/** An ONNX Runtime that scores what stands in files. */
export interface Runtime {
  readonly name: string;
  score(request: ScoreRequest, folder: string): void;
}

const HERE = import.meta.dirname;

/** ONNX Runtime of test/python/requirements.txt. */
export const pythonRuntime: Runtime = {
  name: "ONNX Runtime for Python",
  score: (request, folder) => run(pythonEnvironment(), [join(HERE, "score.py"), written(request, folder)]),
};

/** 291 MB for this check alone: it is no dependency of the package, and comes into the cache of node_modules. */
const NODE_VERSION = "1.30.0";
const NODE_FOLDER = join(HERE, "../../../node_modules/.cache/onnxruntime-node", NODE_VERSION);

export const nodeRuntime: Runtime = {
  name: "ONNX Runtime for Node",
  score: (request, folder) => {
    installNodeRuntime();
    run(process.execPath, [join(HERE, "score-in-node.mjs"), written(request, folder)], NODE_FOLDER);
  },
};

function installNodeRuntime(): void {
  if (existsSync(join(NODE_FOLDER, "node_modules/onnxruntime-node/package.json"))) return;
  mkdirSync(NODE_FOLDER, { recursive: true });
  writeFileSync(join(NODE_FOLDER, "package.json"), '{ "private": true }');
  const wanted = `onnxruntime-node@${NODE_VERSION}`;
  run("npm", ["install", "--no-audit", "--no-fund", "--save-exact", wanted], NODE_FOLDER);
}

function written(request: ScoreRequest, folder: string): string {
  const file = join(folder, "requests.json");
  writeFileSync(file, JSON.stringify([request]));
  return file;
}

/** The CPU is in the package itself; the install script would fetch more for graphics cards. */
const ENVIRONMENT = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };

export function run(command: string, args: readonly string[], cwd: string = HERE): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    cwd,
    env: ENVIRONMENT,
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${error?.message ?? stderr.trim().slice(-2_000)}`);
  return stdout;
}
