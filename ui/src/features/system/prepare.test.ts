import { describe, expect, it } from "vitest";
import type { System } from "../../../../src/contract/index.ts";
import { gauges } from "./prepare.ts";

const nothing: System = {
  version: "0.1.0",
  nodeVersion: "v24",
  startedAt: "2013-11-01T00:00:00Z",
  stateDirectory: "/x",
  stateBytes: null,
  cpu: { cores: 2, load: null },
  memory: { totalBytes: 0, usedBytes: 0, processBytes: 0 },
  disk: null,
  network: null,
  gpu: null,
  eventLoopLagP99Ms: null,
  processes: [],
};
const find = (system: System, label: string) => gauges(system).find((gauge) => gauge.label === label);

describe("gauges", () => {
  it("say that a figure is not available instead of showing nothing as zero", () => {
    for (const label of ["CPU", "Disk", "Network", "Event loop lag, p99", "State folder", "GPU"]) {
      expect(find(nothing, label)).toMatchObject({ value: "not available", share: null });
    }
    expect(find(nothing, "Memory")?.share).toBeNull();
  });
  it("fill by what is used", () => {
    const disk = { totalBytes: 100e9, freeBytes: 25e9, readBytesPerSecond: null, writeBytesPerSecond: 1_000 };
    expect(find({ ...nothing, disk }, "Disk")).toEqual({
      label: "Disk",
      value: "25.0 GB free",
      share: 0.75,
      note: "reads not available, writes 1.0 kB/s",
    });
  });
  it("name every GPU, and say when there is none", () => {
    expect(find({ ...nothing, gpu: [] }, "GPU")?.value).toBe("none");
    expect(find({ ...nothing, gpu: [{ name: "T4", load: 0.5, memoryUsedBytes: null }] }, "T4")).toMatchObject({
      value: "50%",
      share: 0.5,
    });
  });
});
