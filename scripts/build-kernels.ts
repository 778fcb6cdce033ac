/**
 * `npm run kernels:build`: compiles each `*.as.ts` (AssemblyScript) among the training room's kernels to a `.wasm` beside it. Kernels
 * have no runtime and no variables of their own: all they know stands in the shared memory that they are given.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(import.meta.dirname, "..");
const COMPILER = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));
const FLAGS = [
  ...["--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert"],
  ...["--runtime", "stub", "--noExportMemory", "--importMemory", "--sharedMemory", "--maximumMemory", "65536"],
  ...["--enable", "simd", "--enable", "threads"],
];

for (const source of globSync("src/core/training/kernels/*.as.ts", { cwd: ROOT }).toSorted()) {
  const target = source.replace(/\.as\.ts$/, ".wasm");
  const { status } = spawnSync(process.execPath, [COMPILER, source, "--outFile", target, ...FLAGS], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
  console.log(target);
}
