import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

let root: string;
let plane: Up | undefined;
beforeAll(async () => {
  mkdirSync(TEMPORARY, { recursive: true });
  root = await mkdtemp(join(TEMPORARY, "test-up-addresses-"));
}, 120_000);
afterAll(async () => {
  await plane?.stop();
  rmSync(root, { recursive: true, force: true });
}, 120_000);

test("orrery up tells where its endpoints and its feature server are asked", { timeout: 120_000 }, async () => {
  const project = join(root, "churn");
  expect((await orrery(["init", project])).code).toBe(0);
  plane = await up(project);
  const endpoint = await plane.heard(/endpoint churn at (http\S+)\n/);
  const features = await plane.heard(/feature server at (http\S+)\n/);
  expect((await fetch(`${endpoint}/healthz`)).status).toBe(200);
  const asked = await fetch(`${endpoint}/v1/endpoints/churn/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ instances: [{ customer_id: "C1", amount: 9.99 }] }),
  });
  expect(await asked.json()).toMatchObject({ code: "SERVING_NOT_DEPLOYED" });
  expect((await fetch(`${features}/healthz`)).status).toBe(200);
});
