import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const LAUNCHER = join(import.meta.dirname, "../../bin/orrery.js");
const AS_NODE_20 = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})';

it("the launcher of an older Node hands on the signal that ends it: no server is left behind", async () => {
  const state = mkdtempSync(join(tmpdir(), "orrery-launcher-"));
  const args = ["--import", AS_NODE_20, LAUNCHER, "--state", state, "server", "--port", "0"];
  const launcher = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(launcher.stdout, "data");
  const url = /keeps track at (http\S+)/.exec(String(said))?.[1] ?? "";
  expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
  launcher.kill("SIGTERM");
  expect(await once(launcher, "exit")).toEqual([0, null]);
  await expect(fetch(`${url}/openapi.json`)).rejects.toThrow("fetch failed");
  rmSync(state, { recursive: true });
});
