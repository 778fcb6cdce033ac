import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { createKernelMemory, planMemory } from "./kernel-memory.ts";
import { loadKernel, startKernel } from "./load-kernel.ts";

describe("a kernel", () => {
  it("works on the numbers that typed arrays show", () => {
    const kernel = loadKernel(new URL("./boosting.wasm", import.meta.url));
    if (!kernel.available) throw new Error(kernel.reason);
    const plan = planMemory();
    const parent = plan.place(32);
    const child = plan.place(32);
    const memory = createKernelMemory(plan.bytes);
    const integers = (position: number) => new BigInt64Array(memory.buffer, position, 4);
    integers(parent).set([10n, 20n, 30n, 2n ** 62n]);
    integers(child).set([1n, 2n, 3n, 2n ** 61n]);
    startKernel(kernel.module, memory)("subtractHistogram")(parent, child, 32);
    expect([...integers(parent)]).toEqual([9n, 18n, 27n, 2n ** 61n]);
  });

  it("is compiled once", () => {
    const file = new URL("./boosting.wasm", import.meta.url);
    expect(loadKernel(file)).toBe(loadKernel(file));
  });

  it("says how to make it where it is missing, and why it cannot be compiled", () => {
    const missing = loadKernel(new URL("./no-such-kernel.wasm", import.meta.url));
    expect(missing).toMatchObject({ available: false, reason: expect.stringContaining("npm run kernels:build") });
    const damaged = join(tmpdir(), `orrery-kernel-${process.pid}.wasm`);
    writeFileSync(damaged, "no kernel");
    expect(loadKernel(pathToFileURL(damaged))).toMatchObject({ available: false, reason: expect.stringContaining("cannot be") });
  });

  it("has no function of a name that its source has not", () => {
    const kernel = loadKernel(new URL("./boosting.wasm", import.meta.url));
    if (!kernel.available) throw new Error(kernel.reason);
    expect(() => startKernel(kernel.module, createKernelMemory(64))("divide")).toThrow("divide");
  });
});

describe("a memory plan", () => {
  it("gives arrays that do not touch, each on a cache line, and never position 0", () => {
    const plan = planMemory();
    expect([plan.place(1), plan.place(65), plan.place(64)]).toEqual([64, 128, 256]);
    expect(plan.bytes).toBe(320);
  });
});
