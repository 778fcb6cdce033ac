import type { System } from "../../../../src/contract/index.ts";
import { formatBytes, formatShare } from "../../components/format.ts";

export interface Gauge {
  readonly label: string;
  readonly value: string;
  /** Full at 1; null: there is no full. */
  readonly share: number | null;
  readonly note: string;
}

const ABSENT = "not available";
const perSecond = (bytes: number | null): string => (bytes === null ? ABSENT : `${formatBytes(bytes)}/s`);

/** The machine in a row of gauges. What cannot be measured says so; it is never shown as nothing. */
export function gauges(system: System): Gauge[] {
  const { cpu, memory, disk, network, gpu } = system;
  const used = disk === null || disk.totalBytes === 0 ? null : (disk.totalBytes - disk.freeBytes) / disk.totalBytes;
  return [
    { label: "CPU", value: cpu.load === null ? ABSENT : formatShare(cpu.load), share: cpu.load, note: `${cpu.cores} cores` },
    {
      label: "Memory",
      value: formatBytes(memory.usedBytes),
      share: memory.totalBytes === 0 ? null : memory.usedBytes / memory.totalBytes,
      note: `of ${formatBytes(memory.totalBytes)}; this process ${formatBytes(memory.processBytes)}`,
    },
    disk === null
      ? { label: "Disk", value: ABSENT, share: null, note: "" }
      : {
          label: "Disk",
          value: `${formatBytes(disk.freeBytes)} free`,
          share: used,
          note: `reads ${perSecond(disk.readBytesPerSecond)}, writes ${perSecond(disk.writeBytesPerSecond)}`,
        },
    network === null
      ? { label: "Network", value: ABSENT, share: null, note: "" }
      : {
          label: "Network in",
          value: perSecond(network.receivedBytesPerSecond),
          share: null,
          note: `out ${perSecond(network.sentBytesPerSecond)}`,
        },
    {
      label: "Event loop lag, p99",
      value: system.eventLoopLagP99Ms === null ? ABSENT : `${system.eventLoopLagP99Ms.toFixed(1)} ms`,
      share: null,
      note: "of the control plane",
    },
    {
      label: "State folder",
      value: system.stateBytes === null ? ABSENT : formatBytes(system.stateBytes),
      share: null,
      note: "",
    },
    ...gpuGauges(gpu),
  ];
}

function gpuGauges(gpu: System["gpu"]): Gauge[] {
  if (gpu === null || gpu.length === 0) return [{ label: "GPU", value: gpu === null ? ABSENT : "none", share: null, note: "" }];
  return gpu.map(({ name, load, memoryUsedBytes }) => ({
    label: name,
    value: load === null ? ABSENT : formatShare(load),
    share: load,
    note: memoryUsedBytes === null ? "" : `${formatBytes(memoryUsedBytes)} in use`,
  }));
}
