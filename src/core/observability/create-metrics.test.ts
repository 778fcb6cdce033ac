import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { aggregateMetrics, createMetrics, foldCounters, metricsJson } from "./create-metrics.ts";
import { eventLoopDelay } from "./event-loop-delay.ts";
import { type MachineFigures, readMachine } from "./machine-figures.ts";
import { snapshotOf } from "./system-snapshot.ts";

const figures = (changes: Partial<MachineFigures> = {}): MachineFigures => ({
  cpuMs: { busy: 1_000, total: 4_000 },
  space: { totalBytes: 100, freeBytes: 40 },
  diskBytes: { read: 1_000, written: 0 },
  networkBytes: { received: 500, sent: 100 },
  gpu: null,
  takenAt: 0,
  ...changes,
});

describe("the machine's figures", () => {
  it("are rates between two looks", () => {
    const later = figures({
      takenAt: 2_000,
      cpuMs: { busy: 2_000, total: 8_000 },
      diskBytes: { read: 5_000, written: 10 },
      networkBytes: { received: 700, sent: 100 },
    });
    const { cpu, disk, network } = snapshotOf(later, figures());
    expect(cpu.load).toBe(0.25);
    expect(disk).toEqual({ totalBytes: 100, freeBytes: 40, readBytesPerSecond: 2_000, writeBytesPerSecond: 5 });
    expect(network).toEqual({ receivedBytesPerSecond: 100, sentBytesPerSecond: 0 });
  });

  it("are not available, never 0, before there are two looks, after a reset, and where the machine does not say", () => {
    expect(snapshotOf(null, null)).toMatchObject({ cpu: { load: null }, disk: null, network: null, gpu: null });
    expect(snapshotOf(figures(), null)).toMatchObject({ cpu: { load: null }, disk: { readBytesPerSecond: null }, network: null });
    const reset = figures({ takenAt: 1_000, diskBytes: { read: 3, written: 0 }, networkBytes: { received: 1, sent: 100 } });
    expect(snapshotOf(reset, figures())).toMatchObject({ disk: { readBytesPerSecond: null }, network: null });
    const silent = figures({ takenAt: 1_000, cpuMs: null, space: null, diskBytes: null, networkBytes: null });
    expect(snapshotOf(silent, figures())).toMatchObject({ cpu: { load: null }, disk: null, network: null, gpu: null });
  });

  it("come from this machine", async () => {
    const { cpuMs, space } = await readMachine(tmpdir(), true);
    expect(cpuMs?.total).toBeGreaterThan(cpuMs?.busy ?? Number.POSITIVE_INFINITY);
    expect(space?.totalBytes).toBeGreaterThan(space?.freeBytes ?? Number.POSITIVE_INFINITY);
    expect(await readMachine("/nowhere", false)).toMatchObject({ space: null, gpu: null });
  });
});

describe("the event loop's delay", () => {
  it("shows a turn that took long", async () => {
    createMetrics();
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const until = performance.now() + 80; performance.now() < until; );
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(eventLoopDelay()?.maxMs).toBeGreaterThan(40);
  });
});

describe("metrics", () => {
  it("of the machine have no sample for what it does not have, or has not been looked at yet", async () => {
    const metrics = createMetrics({ stateDirectory: tmpdir() });
    const text = await metrics.registry.metrics();
    metrics.close();
    expect(text).toContain("# TYPE hw_gpu_utilization_ratio gauge");
    expect(text).not.toMatch(/^hw_gpu_utilization_ratio\S* /m);
    expect(text).not.toMatch(/^system_cpu_utilization_ratio /m);
    expect(text).toMatch(/^system_memory_usage_bytes\{state="used"\} \d+$/m);
  });

  it("of several processes are summed; of a state the worst is shown", async () => {
    const workers = [createMetrics(), createMetrics()];
    workers.forEach(({ predictions, revision, logDegraded, requestSeconds }, i) => {
      predictions.inc({ endpoint: "late", version: 1, alias: "champion" }, 2 + i);
      revision.set({ endpoint: "late" }, 4 + i);
      logDegraded.set({ endpoint: "late" }, i);
      requestSeconds.observe({ endpoint: "late", status: 200 }, 0.002);
    });
    const text = await aggregateMetrics(await Promise.all(workers.map(metricsJson)));
    expect(text).toContain('orrery_predictions_total{endpoint="late",version="1",alias="champion"} 5');
    expect(text).toContain('orrery_deployment_revision{endpoint="late"} 4');
    expect(text).toContain('orrery_prediction_log_degraded{endpoint="late"} 1');
    expect(text).toContain('orrery_inference_request_duration_seconds_bucket{le="0.0025",endpoint="late",status="200"} 2');
    expect(text).toContain('orrery_inference_request_duration_seconds_sum{endpoint="late",status="200"} 0.004');
  });

  it("that count outlive their process; what it was in the middle of does not", async () => {
    const { predictions, revision, requestSeconds, registry } = createMetrics();
    predictions.inc({ endpoint: "late", version: 1, alias: "champion" }, 3);
    revision.set({ endpoint: "late" }, 4);
    requestSeconds.observe({ endpoint: "late", status: 200 }, 0.002);
    const gone = await foldCounters([await foldCounters([await registry.getMetricsAsJSON()]), await registry.getMetricsAsJSON()]);
    const text = await aggregateMetrics([JSON.parse(JSON.stringify(gone)), await registry.getMetricsAsJSON()]);
    expect(text).toContain('orrery_predictions_total{endpoint="late",version="1",alias="champion"} 9');
    expect(text).toContain('orrery_inference_request_duration_seconds_count{endpoint="late",status="200"} 3');
    expect(text).toContain('orrery_deployment_revision{endpoint="late"} 4');
    expect(gone.every(({ name }) => name !== "orrery_deployment_revision")).toBe(true);
  });

  it("all stand in the reference, and nothing else does", async () => {
    const metrics = createMetrics({ stateDirectory: tmpdir() });
    metrics.close();
    const page = readFileSync(new URL("../../../docs/reference/metrics.md", import.meta.url), "utf8");
    const documented = [...page.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, name]) => name);
    const ours = metrics.registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter((name) => !/^(process|nodejs)_/.test(name));
    expect(documented.sort()).toEqual(ours.sort());
  });
});
