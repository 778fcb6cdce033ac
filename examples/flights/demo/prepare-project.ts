import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const EXAMPLE = join(import.meta.dirname, "..");

export interface DemoProject {
  readonly directory: string;
  readonly state: string;
  readonly data: string;
  /** The example's own, untouched files. */
  readonly original: { readonly flights: string; readonly weather: string };
}

/** A copy of the example with a state folder of its own, made anew: the demo never touches another project's state. */
export function prepareProject(root: string): DemoProject {
  rmSync(root, { recursive: true, force: true });
  const data = join(root, "data");
  mkdirSync(data, { recursive: true });
  copyFileSync(join(EXAMPLE, "orrery.config.ts"), join(root, "orrery.config.ts"));
  for (const table of ["flights", "planes", "airlines"])
    copyFileSync(join(EXAMPLE, "data", `${table}.parquet`), join(data, `${table}.parquet`));
  const original = { flights: join(EXAMPLE, "data", "flights.parquet"), weather: join(EXAMPLE, "data", "weather.parquet") };
  return { directory: root, state: join(root, ".orrery"), data, original };
}
