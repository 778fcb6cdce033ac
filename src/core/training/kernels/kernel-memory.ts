const PAGE = 65_536;
/** What 32-bit addresses reach. */
export const MOST_KERNEL_BYTES = 2 ** 32 - PAGE;
/** A cache line: arrays that start on one share none with their neighbours. */
const LINE = 64;

/** Decides where arrays stand in a kernel's memory before that memory is made, so that its size is known and can be refused. */
export interface MemoryPlan {
  /** Position (bytes) of an array of so many bytes; starts on a cache line. */
  place(bytes: number): number;
  /** Bytes that all arrays take together. */
  readonly bytes: number;
}

/** Position 0 is never given away, so that it can stand for "none". */
export function planMemory(): MemoryPlan {
  let end = LINE;
  return {
    place(bytes) {
      const start = end;
      end += Math.ceil(bytes / LINE) * LINE;
      return start;
    },
    get bytes() {
      return end;
    },
  };
}

/** Memory that a kernel and typed arrays see alike, and that may be handed to another thread. All zeros at first. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Null where WebAssembly is switched off; then only plain TypeScript can work on the buffer. */
  readonly wasm: WebAssembly.Memory | null;
}

/**
 * Physical memory is taken only as it is written.
 * @param bytes at most MOST_KERNEL_BYTES
 */
export function createKernelMemory(bytes: number): KernelMemory {
  const pages = Math.max(1, Math.ceil(bytes / PAGE));
  if (typeof WebAssembly === "undefined") return { buffer: new SharedArrayBuffer(pages * PAGE), wasm: null };
  const wasm = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return { buffer: wasm.buffer, wasm };
}
