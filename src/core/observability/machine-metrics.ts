import { Counter, Gauge, type Registry } from "prom-client";
import { eventLoopDelay, watchEventLoop } from "./event-loop-delay.ts";
import type { MachineFigures } from "./machine-figures.ts";
import { machineFigures, type SystemSnapshot, systemSnapshot } from "./system-snapshot.ts";

/** A label's value and its figure; what is `null` or undefined gets no sample. */
type Samples = readonly (readonly [label: string, value: number | null | undefined])[];

/** Gauges and counters of the whole machine, by the names of OpenTelemetry's semantic conventions. */
export function registerMachineMetrics(registry: Registry): void {
  const registers = [registry];
  const gauge = (name: string, help: string, label: string, read: (snapshot: SystemSnapshot) => Samples) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [key, value] of read(systemSnapshot())) if (typeof value === "number") this.set({ [label]: key }, value);
      },
    });
  const counter = (name: string, help: string, label: string, read: (figures: MachineFigures) => Samples) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        const figures = machineFigures();
        for (const [key, value] of figures === null ? [] : read(figures)) {
          if (typeof value === "number") this.inc({ [label]: key }, value);
        }
      },
    });
  new Gauge({
    name: "system_cpu_utilization_ratio",
    help: "Busy share of all processors",
    registers,
    collect() {
      const { load } = systemSnapshot().cpu;
      // A gauge without labels would begin at 0.
      if (load === null) this.remove();
      else this.set(load);
    },
  });
  gauge("system_memory_usage_bytes", "Memory of the machine", "state", ({ memory: { totalBytes, usedBytes } }) => [
    ["used", usedBytes],
    ["free", totalBytes - usedBytes],
  ]);
  gauge("system_filesystem_usage_bytes", "Space on the disk of the state folder", "state", ({ disk }) => [
    ["used", disk === null ? null : disk.totalBytes - disk.freeBytes],
    ["free", disk?.freeBytes],
  ]);
  gauge("hw_gpu_utilization_ratio", "Busy share of each GPU", "hw_name", ({ gpu }) =>
    (gpu ?? []).map(({ name, load }) => [name, load]),
  );
  gauge("hw_gpu_memory_usage_bytes", "Memory in use on each GPU", "hw_name", ({ gpu }) =>
    (gpu ?? []).map(({ name, memoryUsedBytes }) => [name, memoryUsedBytes]),
  );
  counter("system_disk_io_bytes_total", "Bytes read from and written to disks", "disk_io_direction", ({ diskBytes }) => [
    ["read", diskBytes?.read],
    ["write", diskBytes?.written],
  ]);
  counter(
    "system_network_io_bytes_total",
    "Bytes over the network, loopback apart",
    "network_io_direction",
    ({ networkBytes }) => [
      ["receive", networkBytes?.received],
      ["transmit", networkBytes?.sent],
    ],
  );
}

/** How late timers are in this process; over several processes the worst one's. */
export function registerEventLoopMetrics(registry: Registry): void {
  watchEventLoop();
  new Gauge({
    name: "orrery_event_loop_delay_seconds",
    help: "Delay of the event loop over the last ten seconds; quantile 1 is the longest",
    labelNames: ["quantile"],
    aggregator: "max",
    registers: [registry],
    collect() {
      this.reset();
      const delay = eventLoopDelay();
      if (delay === null) return;
      this.set({ quantile: "0.5" }, delay.p50Ms / 1_000);
      this.set({ quantile: "0.99" }, delay.p99Ms / 1_000);
      this.set({ quantile: "1" }, delay.maxMs / 1_000);
    },
  });
}
