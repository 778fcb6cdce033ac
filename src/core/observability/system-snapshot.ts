import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";

export interface SystemSnapshot {
  readonly cpu: { readonly cores: number; readonly load: number | null };
  readonly memory: { readonly totalBytes: number; readonly usedBytes: number; readonly processBytes: number };
  readonly disk: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly readBytesPerSecond: number | null;
    readonly writeBytesPerSecond: number | null;
  } | null;
  readonly network: { readonly receivedBytesPerSecond: number; readonly sentBytesPerSecond: number } | null;
  /** `null`: this machine has none, or its driver does not tell; never a made-up 0. */
  readonly gpu:
    | readonly { readonly name: string; readonly load: number | null; readonly memoryUsedBytes: number | null }[]
    | null;
  readonly eventLoopLagP99Ms: number | null;
}

const PERIOD_MS = 10_000;
const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();

let latest: SystemSnapshot = {
  cpu: { cores: availableParallelism(), load: null },
  memory: memory(),
  disk: null,
  network: null,
  gpu: null,
  eventLoopLagP99Ms: null,
};

function memory(): SystemSnapshot["memory"] {
  return { totalBytes: totalmem(), usedBytes: totalmem() - freemem(), processBytes: process.memoryUsage.rss() };
}

/** The figures of the last look, at most ten seconds old; taking them costs nothing. */
export const systemSnapshot = (): SystemSnapshot => ({
  ...latest,
  memory: memory(),
  eventLoopLagP99Ms: loop.percentile(99) / 1e6,
});

const finite = (value: number | null | undefined) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;

/** Asks the machine; some of these take half a second, so it is never done while somebody waits. */
async function look(stateDirectory: string): Promise<SystemSnapshot> {
  const { fsStats, graphics, networkStats } = await import("systeminformation");
  const [files, io, network, cards] = await Promise.all([
    statfs(stateDirectory).catch(() => null),
    fsStats().catch(() => null),
    networkStats("*").catch(() => []),
    graphics().catch(() => null),
  ]);
  const rates = network.map(({ rx_sec, tx_sec }) => [finite(rx_sec), finite(tx_sec)] as const).filter(([rx]) => rx !== null);
  // A display adapter without a driver's figures says nothing about a GPU that could train.
  const gpu = (cards?.controllers ?? []).filter(
    ({ utilizationGpu, memoryUsed }) => utilizationGpu !== undefined || memoryUsed !== undefined,
  );
  return {
    cpu: { cores: availableParallelism(), load: Math.min(1, (loadavg()[0] ?? 0) / availableParallelism()) },
    memory: memory(),
    disk:
      files === null
        ? null
        : {
            totalBytes: files.blocks * files.bsize,
            freeBytes: files.bavail * files.bsize,
            readBytesPerSecond: finite(io?.rx_sec),
            writeBytesPerSecond: finite(io?.wx_sec),
          },
    network:
      rates.length === 0
        ? null
        : {
            receivedBytesPerSecond: rates.reduce((sum, [rx]) => sum + (rx ?? 0), 0),
            sentBytesPerSecond: rates.reduce((sum, [, tx]) => sum + (tx ?? 0), 0),
          },
    gpu:
      gpu.length === 0
        ? null
        : gpu.map(({ model, utilizationGpu, memoryUsed }) => ({
            name: model,
            load: utilizationGpu === undefined ? null : utilizationGpu / 100,
            memoryUsedBytes: memoryUsed === undefined ? null : memoryUsed * 1024 * 1024,
          })),
    eventLoopLagP99Ms: loop.percentile(99) / 1e6,
  };
}

/** Looks at the machine every ten seconds and keeps gauges of it; what cannot be had has no sample. Returns how to stop. */
export function watchSystem(registry: Registry, stateDirectory: string): () => void {
  const gauge = (name: string, help: string, read: (snapshot: SystemSnapshot) => number | null | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        const value = read(systemSnapshot());
        if (value !== null && value !== undefined) this.set(value);
      },
    });
  gauge("system_cpu_load_ratio", "Load average of a minute by core, at most 1", ({ cpu }) => cpu.load);
  gauge("system_memory_used_bytes", "Memory in use on the machine", ({ memory: { usedBytes } }) => usedBytes);
  gauge("system_disk_free_bytes", "Free bytes on the disk of the state folder", ({ disk }) => disk?.freeBytes);
  gauge("system_disk_read_bytes_per_second", "Bytes read from disks", ({ disk }) => disk?.readBytesPerSecond);
  gauge("system_disk_write_bytes_per_second", "Bytes written to disks", ({ disk }) => disk?.writeBytesPerSecond);
  gauge("system_network_receive_bytes_per_second", "Bytes received", ({ network }) => network?.receivedBytesPerSecond);
  gauge("system_network_transmit_bytes_per_second", "Bytes sent", ({ network }) => network?.sentBytesPerSecond);
  gauge("hw_gpu_utilization_ratio", "Use of the first GPU", ({ gpu }) => gpu?.[0]?.load);
  gauge("orrery_event_loop_lag_p99_seconds", "99th percentile of the event loop's delay", ({ eventLoopLagP99Ms }) =>
    eventLoopLagP99Ms === null ? null : eventLoopLagP99Ms / 1_000,
  );
  const refresh = () =>
    look(stateDirectory).then(
      (snapshot) => {
        latest = snapshot;
      },
      () => undefined,
    );
  const first = setTimeout(refresh, 1_000).unref();
  const timer = setInterval(refresh, PERIOD_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}
