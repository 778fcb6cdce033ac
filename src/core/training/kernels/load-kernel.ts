import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { KernelMemory } from "./kernel-memory.ts";

/** A kernel that was compiled, which another thread may be given; or why there is none, so that plain TypeScript has to do. */
export type Kernel =
  | { readonly available: true; readonly module: WebAssembly.Module }
  | { readonly available: false; readonly reason: string };

/** What a kernel exports: positions in its memory, counts and numbers in; at most one number out. */
export type KernelFunction = (...args: readonly number[]) => number;

const loaded = new Map<string, Kernel>();

/**
 * Compiles a kernel once in a process. Name the file as `new URL("./x.wasm", import.meta.url)` in the module that uses it: then it
 * counts in the digest of a pipeline step's code.
 *
 * @param file a .wasm that scripts/build-kernels.ts made
 */
export function loadKernel(file: URL): Kernel {
  const known = loaded.get(file.href);
  if (known !== undefined) return known;
  const kernel = compile(file);
  loaded.set(file.href, kernel);
  return kernel;
}

function compile(file: URL): Kernel {
  if (typeof WebAssembly === "undefined") return { available: false, reason: "this process runs without WebAssembly" };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch {
    return { available: false, reason: `${fileURLToPath(file)} is missing: npm run kernels:build makes it` };
  }
  try {
    return { available: true, module: new WebAssembly.Module(bytes) };
  } catch (cause) {
    // A machine without SIMD refuses here.
    return { available: false, reason: `the kernel cannot be compiled: ${cause instanceof Error ? cause.message : cause}` };
  }
}

/** Puts a kernel to work on a memory. The answer finds its functions by name; a name that it does not have is a defect. */
export function startKernel(module: WebAssembly.Module, memory: KernelMemory): (name: string) => KernelFunction {
  if (memory.wasm === null) throw new Error("a kernel needs a memory of WebAssembly");
  const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.wasm } });
  return (name) => {
    const found = exports[name];
    if (!isKernelFunction(found)) throw new Error(`the kernel has no function ${name}: npm run kernels:build makes it anew`);
    return found;
  };
}

function isKernelFunction(value: unknown): value is KernelFunction {
  return typeof value === "function";
}
