import { createHash } from "node:crypto";
import { glob, readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import type { FileFormat, FilesOrigin, SourceDefinition } from "../definitions/index.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { fileHash, fileIdentity } from "./file-identity.ts";
import { withUnpacked } from "./unpack.ts";

interface LocalFiles {
  readonly projectDirectory: string;
  readonly tmpDirectory: string;
}

/**
 * The files that a source's path names, each a delivery, in the order of their names: that is the order in which they count as
 * delivered. A path that names a folder stands for every file of the source's format below it.
 * @throws DATA_FILE_MISSING, DATA_FILE_UNREADABLE, DATA_EMPTY
 */
export async function localDeliveries(source: SourceDefinition, origin: FilesOrigin, places: LocalFiles): Promise<Delivery[]> {
  const files = await inputFiles(source, origin, places.projectDirectory);
  return await Promise.all(files.map((path) => localDelivery(source, origin, path, places)));
}

async function localDelivery(
  source: SourceDefinition,
  { format }: FilesOrigin,
  path: string,
  { projectDirectory, tmpDirectory }: LocalFiles,
): Promise<Delivery> {
  const before = await fileIdentity(source.name, path);
  if (before.size === 0n && format === "csv")
    throw dataErrors.DATA_EMPTY(`${basename(path)} of source ${source.name} has no rows`);
  const partition = partitionOf(source, relative(projectDirectory, path).split(sep));
  return {
    name: basename(path),
    format,
    partition,
    hash: deliveryHash(await fileHash(source.name, path, before), partition),
    async use(read) {
      const result = await withUnpacked({ path, name: basename(path), format, tmpDirectory, source: source.name }, read);
      const after = await fileIdentity(source.name, path);
      // What was hashed must be what was read: a file that grows meanwhile would be taken for its earlier self for ever.
      if (after.text !== before.text) throw dataErrors.DATA_FILE_CHANGED(`${basename(path)} changed while it was read`);
      return result;
    },
  };
}

export function deliveryHash(bytes: string, partition: Delivery["partition"]): string {
  const said = Object.entries(partition);
  return said.length === 0
    ? bytes
    : createHash("sha256")
        .update(JSON.stringify([bytes, said]))
        .digest("hex");
}

/** How "no value" is written in a folder's name, by Hive and all that follow it. */
const NO_VALUE = "__HIVE_DEFAULT_PARTITION__";

/** What folders named `column=value` say about the source's columns; names and values may be percent-encoded. */
export function partitionOf(source: SourceDefinition, path: readonly string[]): Delivery["partition"] {
  const said: Record<string, string | null> = {};
  for (const folder of path.slice(0, -1)) {
    const equals = folder.indexOf("=");
    if (equals <= 0) continue;
    const column = decoded(folder.slice(0, equals));
    const value = folder.slice(equals + 1);
    if (Object.hasOwn(source.contracts, column)) said[column] = value === NO_VALUE ? null : decoded(value);
  }
  return said;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const EXTENSIONS: Readonly<Record<FileFormat, RegExp>> = {
  parquet: /\.(parquet|parq)$/i,
  csv: /\.(csv|tsv|txt)(\.gz|\.zst)?$/i,
  "json-lines": /\.(jsonl|ndjson|json)(\.gz|\.zst)?$/i,
};

/** Whether a file in a folder that stands for its files is one of them: hidden ones and "_SUCCESS" are about the others. */
export const isOfFormat = (path: string, format: FileFormat): boolean =>
  EXTENSIONS[format].test(path) && !path.split(/[/\\]/).some((name) => /^[._]/.test(name));

/** The format that a file's name says; null where it says none. */
export const formatOf = (path: string): FileFormat | null => FORMATS.find((format) => EXTENSIONS[format].test(path)) ?? null;

const FORMATS = ["parquet", "csv", "json-lines"] as const;

async function inputFiles(source: SourceDefinition, { path, format }: FilesOrigin, projectDirectory: string): Promise<string[]> {
  // A name that exists is that file, even where it holds characters that a pattern would read otherwise.
  const exact = resolve(projectDirectory, path);
  const found = await kindOf(exact);
  if (found === "file") return [exact];
  if (found === "folder") {
    const below = await filesBelow(source, exact);
    const files = below.filter((name) => isOfFormat(name, format)).map((name) => join(exact, name));
    if (files.length > 0) return files.sort();
    throw dataErrors.DATA_FILE_MISSING(`No ${format} file is in the folder ${path} of source ${source.name}`);
  }
  const named: string[] = [];
  for await (const name of glob(path, { cwd: projectDirectory })) named.push(resolve(projectDirectory, name));
  const kinds = await Promise.all(named.sort().map(kindOf));
  const files = named.filter((_, i) => kinds[i] === "file");
  if (files.length === 0)
    throw dataErrors.DATA_FILE_MISSING(`No file matches ${path} of source ${source.name} in ${projectDirectory}`);
  return files;
}

async function filesBelow(source: SourceDefinition, folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    const kinds = await Promise.all(paths.map(kindOf));
    return paths.filter((_, i) => kinds[i] === "file").map((path) => relative(folder, path));
  } catch (cause) {
    throw dataErrors.DATA_FILE_UNREADABLE(`The folder ${basename(folder)} of source ${source.name} cannot be read`, { cause });
  }
}

const kindOf = (path: string): Promise<"file" | "folder" | "neither"> =>
  stat(path).then(
    (found) => (found.isFile() ? "file" : found.isDirectory() ? "folder" : "neither"),
    () => "neither",
  );
