import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import { defineErrors } from "../../core/errors.ts";

export const backupErrors = defineErrors({
  BACKUP_EXISTS: { kind: "conflict", hint: "Name a folder that is not there yet." },
  BACKUP_NO_SPACE: { kind: "unavailable", hint: "Free disk space or name a folder on another disk; nothing was left behind." },
  BACKUP_MISSING: { kind: "not-found", hint: "Name the folder that `orrery backup` made: it holds a file backup.json." },
  BACKUP_NEWER: { kind: "conflict", hint: "Restore it with the Orrery version that made it, or a newer one." },
  BACKUP_DAMAGED: { kind: "invalid", hint: "The copy has changed since it was made; restore another one." },
  BACKUP_TARGET_IN_USE: {
    kind: "conflict",
    hint: "Restore into a state folder that does not exist yet (--state), and into a database without rows.",
  },
});

/** Format of the folder. */
export const BACKUP_FORMAT = 1;
export const MANIFEST = "backup.json";
export const METADATA = "metadata.db";
export const ARTIFACTS = "artifacts";
/** Folders of the state that are taken along as they are; see ARCHITECTURE.md, "State". */
export const STATE_FOLDERS = ["deployments", "predictions", "reports"] as const;
export const ONLINE = "online";
export const PUSH = "push";

const manifestSchema = z.object({
  formatVersion: z.number().int().min(1),
  /** ISO 8601. */
  madeAt: z.string(),
  orrery: z.string(),
  /** What the metadata was in; the copy is SQLite. */
  engine: z.enum(["sqlite", "postgres"]),
  artifacts: z.object({ count: z.number().int(), bytes: z.number().int() }),
  /** Artifacts that a file of the tree names, and that were not in the store: they were lost before the backup. */
  missing: z.array(z.string()),
  /** Of every file but the artifacts, which carry their hash in their name. */
  files: z.record(z.string(), z.object({ bytes: z.number().int(), sha256: z.string() })),
});
export type Manifest = z.output<typeof manifestSchema>;

/** @throws BACKUP_MISSING, BACKUP_NEWER, BACKUP_DAMAGED */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), "utf8").catch((cause) => {
    throw backupErrors.BACKUP_MISSING(`There is no backup in ${folder}`, { cause });
  });
  const damaged = (why: string) => backupErrors.BACKUP_DAMAGED(`${MANIFEST} ${why}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw damaged("is no JSON");
  }
  const version = z.object({ formatVersion: z.number() }).safeParse(json);
  if (version.success && version.data.formatVersion > BACKUP_FORMAT)
    throw backupErrors.BACKUP_NEWER(`The backup has format ${version.data.formatVersion}; this version reads ${BACKUP_FORMAT}`);
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw damaged("does not describe a backup");
  return parsed.data;
}

export async function hashOfFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

/** Every file below a folder, relative to it, with "/"; none where there is no folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await filesBelow(folder)) bytes += (await stat(join(folder, file)).catch(() => null))?.size ?? 0;
  return bytes;
}
