import { statfs } from "node:fs/promises";
import { cpus } from "node:os";

/** What the machine says of itself. `null`: it does not say; never a made-up 0. Counters run since the machine started. */
export interface MachineFigures {
  /** Milliseconds of all processors together since the machine started. */
  readonly cpuMs: { readonly busy: number; readonly total: number } | null;
  /** Of the disk that holds the state folder. */
  readonly space: { readonly totalBytes: number; readonly freeBytes: number } | null;
  readonly diskBytes: { readonly read: number; readonly written: number } | null;
  /** Over all interfaces but loopback. */
  readonly networkBytes: { readonly received: number; readonly sent: number } | null;
  readonly gpu: readonly GpuFigures[] | null;
  /** Milliseconds on a clock that does not jump. */
  readonly takenAt: number;
}

export interface GpuFigures {
  readonly name: string;
  /** 0…1 */
  readonly load: number | null;
  readonly memoryUsedBytes: number | null;
}

const counter = (value: number | null | undefined) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;

/** Asks the machine once; takes up to half a second, so it is done in a thread of its own. */
export async function readMachine(directory: string, withGpu: boolean): Promise<MachineFigures> {
  const { fsStats, graphics, networkStats } = await import("systeminformation");
  const [space, io, interfaces, cards] = await Promise.all([
    statfs(directory).catch(() => null),
    fsStats().catch(() => null),
    networkStats("*").catch(() => []),
    withGpu ? graphics().catch(() => null) : null,
  ]);
  const read = counter(io?.rx);
  const written = counter(io?.wx);
  const outward = interfaces.filter(({ iface }) => !/^lo\d*$/.test(iface));
  return {
    cpuMs: cpuTimes(),
    space: space === null ? null : { totalBytes: space.blocks * space.bsize, freeBytes: space.bavail * space.bsize },
    // Some systems answer with zeros where they do not count.
    diskBytes: read === null || written === null || read + written === 0 ? null : { read, written },
    networkBytes:
      outward.length === 0
        ? null
        : {
            received: outward.reduce((sum, { rx_bytes }) => sum + (counter(rx_bytes) ?? 0), 0),
            sent: outward.reduce((sum, { tx_bytes }) => sum + (counter(tx_bytes) ?? 0), 0),
          },
    gpu: gpuFigures(cards?.controllers ?? []),
    takenAt: performance.now(),
  };
}

function cpuTimes(): MachineFigures["cpuMs"] {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    total += all;
    busy += all - times.idle;
  }
  return total === 0 ? null : { busy, total };
}

const MEBIBYTE = 1024 * 1024;

/** A display adapter whose driver tells nothing says nothing about a GPU that could train. */
function gpuFigures(
  controllers: readonly { model: string; utilizationGpu?: number; memoryUsed?: number }[],
): readonly GpuFigures[] | null {
  const telling = controllers.filter(
    ({ utilizationGpu, memoryUsed }) => utilizationGpu !== undefined || memoryUsed !== undefined,
  );
  if (telling.length === 0) return null;
  return telling.map(({ model, utilizationGpu, memoryUsed }) => ({
    name: model,
    load: utilizationGpu === undefined ? null : utilizationGpu / 100,
    memoryUsedBytes: memoryUsed === undefined ? null : memoryUsed * MEBIBYTE,
  }));
}
