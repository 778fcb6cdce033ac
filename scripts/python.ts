/** `npm run python -- FILE [ARGUMENT…]`: runs a script on the project's pinned Python. */
import { spawnSync } from "node:child_process";
import { pythonEnvironment } from "./python-environment.ts";

const { status } = spawnSync(pythonEnvironment(), process.argv.slice(2), { stdio: "inherit" });
process.exitCode = status ?? 1;
