import { resolve } from "node:path";
import { runDemo } from "../../../examples/flights/demo/demo.ts";

export default async function demo(options: { serve: boolean; summary?: string; port: string; until?: string }): Promise<void> {
  await runDemo({
    serve: options.serve,
    port: Number(options.port),
    ...(options.summary === undefined ? {} : { summary: resolve(options.summary) }),
    ...(options.until === undefined ? {} : { until: options.until }),
  });
}
