import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemSnapshot } from "../../core/observability/index.ts";
import { FEATURE_SERVER } from "../feature-process.ts";
import type { RoomHandlers } from "../handlers.ts";
import { findInference, findServer } from "../inference-process.ts";
import type { RouteContext } from "./index.ts";

/** The folder's size is counted at most this often: it can hold many files. */
const SIZE_AGE_MS = 60_000;

export function systemHandlers({ platform, version, startedAt }: RouteContext): RoomHandlers<"system"> {
  let size = { at: 0, bytes: null as number | null };
  return {
    async get() {
      if (Date.now() - size.at > SIZE_AGE_MS) size = { at: Date.now(), bytes: await folderBytes(platform.paths.root) };
      const snapshot = systemSnapshot();
      const inference = await Promise.all(
        platform.project.endpoints.map(async ({ name }) => {
          const server = await findInference(platform.paths.run, name);
          return { name: `inference ${name}`, pid: server?.pid ?? 0, alive: server !== null, url: server?.url ?? null };
        }),
      );
      const features = await findServer(platform.paths.run, FEATURE_SERVER);
      return {
        ...snapshot,
        gpu: snapshot.gpu === null ? null : [...snapshot.gpu],
        version,
        nodeVersion: process.versions.node,
        startedAt: new Date(startedAt).toISOString(),
        stateDirectory: platform.paths.root,
        stateBytes: size.bytes,
        processes: [
          { name: "control plane", pid: process.pid, alive: true, url: null },
          ...inference,
          ...(features === null ? [] : [{ name: "feature server", pid: features.pid, alive: true, url: features.url }]),
        ],
      };
    },
  };
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
