import { parentPort, workerData } from "node:worker_threads";
import { readMachine } from "./machine-figures.ts";

/** Rates need two looks, so the second one follows soon. */
const SECOND_LOOK_MS = 1_000;
const PERIOD_MS = 10_000;

const { directory } = workerData as { directory: string }; // What watchSystem passes.
let withGpu = true;

for (let look = 0; ; look++) {
  const figures = await readMachine(directory, withGpu);
  // A machine does not grow a GPU, and asking for one starts programs.
  withGpu = figures.gpu !== null;
  parentPort?.postMessage(figures);
  await new Promise((resolve) => setTimeout(resolve, look === 0 ? SECOND_LOOK_MS : PERIOD_MS));
}
