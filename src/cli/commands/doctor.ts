import { existsSync, statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { resolve } from "node:path";
import { toOrreryError } from "../../core/errors.ts";
import { loadProject } from "../../platform/load-project.ts";
import { type ConnectionOptions, findControlPlane, stateDirectory } from "../connection.ts";
import { show, table } from "../output.ts";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
}

const GIGABYTE = 1024 ** 3;

async function attempt(check: string, look: () => Promise<{ ok?: boolean; found: string }>): Promise<Finding> {
  try {
    const { ok = true, found } = await look();
    return { check, ok, found };
  } catch (error) {
    const { message, hint } = toOrreryError(error);
    return { check, ok: false, found: `${message}. ${hint}` };
  }
}

/** Looks without changing anything. */
export default async function doctor(options: ConnectionOptions & { json?: boolean }): Promise<void> {
  const state = stateDirectory(options);
  const disk = existsSync(state) ? state : resolve(options.project);
  const findings = await Promise.all([
    attempt("node", async () => ({ ok: Number(process.versions.node.split(".")[0]) >= 24, found: process.versions.node })),
    attempt("cores", async () => ({ ok: availableParallelism() >= 2, found: String(availableParallelism()) })),
    attempt("memory", async () => ({ ok: totalmem() >= 4 * GIGABYTE, found: `${(totalmem() / GIGABYTE).toFixed(1)} GB` })),
    attempt("disk", async () => {
      const { bavail, bsize } = statfsSync(disk);
      return { ok: bavail * bsize >= 2 * GIGABYTE, found: `${((bavail * bsize) / GIGABYTE).toFixed(1)} GB free` };
    }),
    attempt("duckdb", async () => {
      const { openDuckDb } = await import("../../adapters/tables/duckdb.ts");
      const engine = await openDuckDb({});
      const [row] = await engine.rows("SELECT version() AS version");
      engine.close();
      return { found: String(row?.version) };
    }),
    attempt("project", async () => ({ found: (await loadProject(resolve(options.project))).name })),
    attempt("state folder", async () => ({
      found: existsSync(state) ? state : `${state} (not there yet; the first command makes it)`,
    })),
    attempt("control plane", async () => ({ found: (await findControlPlane(options))?.url ?? "not running" })),
  ]);
  show(options.json, findings, () => table(findings.map(({ check, ok, found }) => ({ check, "": ok ? "ok" : "LOOK", found }))));
  if (findings.some(({ ok }) => !ok)) process.exitCode = 2;
}
