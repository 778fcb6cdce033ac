#!/usr/bin/env node
// Starts the command line on a Node that runs TypeScript: this one, or the one that npm brought.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../src/cli/main.ts", import.meta.url);
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main.href);
} else {
  const newer = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(newer)) {
    console.error(`Orrery needs Node 24 or newer; this is ${process.versions.node}. Run \`npm ci\`, which brings one.`);
    process.exit(1);
  }
  const child = spawn(newer, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  // Whoever stops the launcher means the program. A terminal's Ctrl-C reaches both by itself.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("exit", (code) => process.exit(code ?? 1));
}
