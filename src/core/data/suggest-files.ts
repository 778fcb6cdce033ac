import { randomUUID } from "node:crypto";
import { glob, link, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { FileFormat, FilesOrigin, SourceDefinition, SourceOrigin } from "../definitions/index.ts";
import type { RemoteFiles, SourceInputs, TableEngine } from "../ports/index.ts";
import { RESERVED } from "./column-sql.ts";
import { deliveredRows, type ReadableDelivery } from "./delivered-rows.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { formatOf, localDeliveries } from "./read-files.ts";
import { remoteDeliveries, remoteFiles } from "./read-remote.ts";
import { type SuggestedSource, suggestSource } from "./suggest-source.ts";
import type { DeliveredColumn } from "./suggest-types.ts";
import { suggestionText } from "./suggestion-text.ts";

export interface Suggestion {
  readonly name: string;
  readonly suggested: SuggestedSource;
  /** TypeScript, ready to be pasted. */
  readonly text: string;
}

export interface FileSuggestion extends Suggestion {
  /** Files that were looked at. */
  readonly files: number;
  /** Files whose columns are others than the first one's, and how. They were not looked at. */
  readonly others: readonly { readonly file: string; readonly differs: string }[];
}

export interface SuggestOptions {
  /** What the source shall be called; the file's or folder's own name unless said. */
  readonly name?: string;
  readonly projectDirectory: string;
  readonly tmpDirectory: string;
  /** Reads files that are elsewhere. */
  readonly inputs?: SourceInputs;
}

/** More files say no more about their columns, and each is opened. */
const MOST_FILES = 100;
/** Of files that are elsewhere, no further one is copied when there is so much here. */
const MOST_BYTES = 2 ** 30;

/**
 * Proposes the definition of a source that is not declared yet, from the files that `path` names: a file, folder or pattern here, s3:// or
 * http(s):// elsewhere.
 * @throws DATA_ORIGIN_MISSING and what their readers throw, DATA_FORMAT_UNKNOWN, DATA_FILE_MISSING, DATA_FILE_UNREADABLE, DATA_FILE_CORRUPT, DATA_EMPTY
 */
export async function suggestFiles(engine: TableEngine, path: string, options: SuggestOptions): Promise<FileSuggestion> {
  // What a file is called ends where its address begins to say how it is asked for.
  const { name = nameOf(path.replace(REMOTE_QUERY, "$1")) } = options;
  const remote = remoteFiles({ kind: "files", format: "csv", path }, name, options.inputs);
  if (remote === null) {
    const { format, files } = await namedFiles(name, path, options.projectDirectory);
    const origin: FilesOrigin = { kind: "files", format, path };
    return await suggestDeliveries(
      engine,
      name,
      origin,
      await localDeliveries(anyText(name, origin, folderColumns(files)), origin, options),
    );
  }
  const folder = join(options.tmpDirectory, `suggest-${randomUUID()}`);
  try {
    const origin = await remoteOrigin(name, path, remote);
    return await suggestDeliveries(engine, name, origin.origin, await copies(name, origin, remote, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function suggestDeliveries(
  engine: TableEngine,
  name: string,
  origin: FilesOrigin,
  deliveries: readonly Delivery[],
): Promise<FileSuggestion> {
  const { path } = origin;
  return await withPaths(deliveries.slice(0, MOST_FILES), async (readable) => {
    const looked = await Promise.all(
      readable.map(async (delivery) => ({ delivery, columns: await columnsOf(engine, anyText(name, origin, []), delivery) })),
    );
    const [first, ...rest] = looked;
    if (first === undefined || first.columns.length === 0) throw dataErrors.DATA_EMPTY(`${path} has no rows`);
    const others = rest.flatMap(({ delivery, columns }) => {
      const differs = difference(first.columns, columns);
      return differs === null ? [] : [{ file: delivery.name, differs }];
    });
    const alike = looked.filter(({ columns }) => difference(first.columns, columns) === null);
    const whole = anyText(
      name,
      origin,
      first.columns.map(({ column }) => column),
    );
    const relations = await Promise.all(
      alike.map(async ({ delivery }) => `SELECT * FROM ${(await deliveredRows(engine, whole, delivery)).relation}`),
    );
    const suggested = await suggestSource(engine, `(${relations.join(" UNION ALL BY NAME ")})`, first.columns);
    if (suggested.rows === 0) throw dataErrors.DATA_EMPTY(`${path} has no rows`);
    return { name, suggested, text: suggestionText(suggested, { name, origin }), files: alike.length, others };
  });
}

/** "data/orders-*.csv.gz" is called orders. */
function nameOf(path: string): string {
  const plain = (text: string) => text.replace(/[*?[\]{}!]+/g, "").replace(/^[-_. ]+|[-_. ]+$/g, "");
  const last = plain(basename(path).replace(/\.[^.]+(\.(gz|zst))?$/i, ""));
  return last === "" || last.includes("=") ? plain(basename(dirname(path))) || "rows" : last;
}

const REMOTE_QUERY = /^((?:s3|https?):[^?#]*)[?#].*$/;

interface FoundFiles {
  readonly origin: FilesOrigin;
  /** Columns that the names of folders say. */
  readonly folders: readonly string[];
}

/** The format that the names of files elsewhere say. @throws DATA_FORMAT_UNKNOWN */
async function remoteOrigin(name: string, path: string, remote: RemoteFiles): Promise<FoundFiles> {
  const found = await remote.list(path, (file) => formatOf(file) !== null, { headers: {}, maxBytes: Number.POSITIVE_INFINITY });
  const files = found.map((file) => file.path.join("/"));
  const format = files.map(formatOf).find((each) => each !== null);
  if (format === undefined)
    throw dataErrors.DATA_FORMAT_UNKNOWN(`Nothing says how ${name} at ${found[0]?.address} is to be read`);
  return { origin: { kind: "files", format, path }, folders: folderColumns(files) };
}

/** Files from elsewhere, here in `folder` until that is taken away: a suggestion looks at them all at once. */
async function copies(name: string, { origin, folders }: FoundFiles, remote: RemoteFiles, folder: string): Promise<Delivery[]> {
  const here: Delivery[] = [];
  let bytes = 0;
  const places = { tmpDirectory: folder, previous: [], firstRows: Number.POSITIVE_INFINITY };
  for await (const delivery of remoteDeliveries(anyText(name, origin, folders), origin, remote, places)) {
    const kept = join(folder, `kept-${here.length}`);
    // Whatever is handed out lies in the folder, and goes when the next is asked for.
    bytes += await delivery.use(async (path) => {
      await link(path, kept);
      return (await stat(kept)).size;
    });
    here.push({ ...delivery, use: (read) => read(kept) });
    if (here.length >= MOST_FILES || bytes >= MOST_BYTES) break;
  }
  return here;
}

/** What a path names, and the format that the names say. */
async function namedFiles(name: string, path: string, directory: string): Promise<{ format: FileFormat; files: string[] }> {
  const exact = resolve(directory, path);
  const found = await stat(exact).catch(() => null);
  const files =
    found === null
      ? await Array.fromAsync(glob(path, { cwd: directory }))
      : found.isDirectory()
        ? (await readdir(exact, { recursive: true })).map((file) => join(path, file)).sort()
        : [path];
  const isFolder = found?.isDirectory() === true;
  const format = isFolder ? files.map(formatOf).find((each) => each !== null) : (formatOf(path) ?? files.map(formatOf)[0]);
  if (format === undefined || format === null)
    throw files.length === 0 && !isFolder
      ? dataErrors.DATA_FILE_MISSING(`No file matches ${path} in ${directory}`)
      : dataErrors.DATA_FORMAT_UNKNOWN(`Nothing says how ${name} at ${path} is to be read`);
  return { format, files };
}

const folderColumns = (files: readonly string[]): string[] => [
  ...new Set(
    files.flatMap((file) =>
      dirname(file)
        .split(/[/\\]/)
        .flatMap((folder) => (folder.indexOf("=") > 0 ? [folder.slice(0, folder.indexOf("="))] : [])),
    ),
  ),
];

/** A source that takes any text in these columns: files are read by it before anything is known of them. */
export const anyText = (name: string, origin: SourceOrigin, columns: readonly string[]): SourceDefinition => ({
  kind: "source",
  name,
  origin,
  key: [],
  availability: { groups: {} },
  contracts: Object.fromEntries(
    columns.map((column) => [column, { type: "string", nullable: { atMost: 1 }, severity: "quarantine" }]),
  ),
});

/** Columns that a source may declare, the file's own first, then those of its folders. */
async function columnsOf(engine: TableEngine, source: SourceDefinition, delivery: ReadableDelivery): Promise<DeliveredColumn[]> {
  const { types } = await deliveredRows(engine, source, delivery);
  return declarable([...types].map(([column, delivered]) => ({ column, delivered })));
}

/** Without columns that no source may declare; of two that differ in case only the first. */
export function declarable(columns: readonly DeliveredColumn[]): DeliveredColumn[] {
  const seen = new Set<string>();
  return columns.filter(({ column }) => {
    const isNew = !seen.has(column.toLowerCase()) && !RESERVED.test(column);
    seen.add(column.toLowerCase());
    return isNew;
  });
}

/** "adds tip; lacks fare; id is VARCHAR and not BIGINT": null where the columns are the same, in any order. */
function difference(first: readonly DeliveredColumn[], other: readonly DeliveredColumn[]): string | null {
  const [before, now] = [first, other].map((columns) => new Map(columns.map(({ column, delivered }) => [column, delivered])));
  const added = [...now.keys()].filter((column) => !before.has(column));
  const removed = [...before.keys()].filter((column) => !now.has(column));
  const retyped = [...now].filter(([column, type]) => before.has(column) && before.get(column) !== type);
  const parts = [
    ...(added.length === 0 ? [] : [`adds ${added.join(", ")}`]),
    ...(removed.length === 0 ? [] : [`lacks ${removed.join(", ")}`]),
    ...retyped.map(([column, type]) => `${column} is ${type} and not ${before.get(column)}`),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}

type OpenDelivery = Delivery & ReadableDelivery;

/** All of the files readable at once. */
async function withPaths<T>(
  [first, ...rest]: readonly Delivery[],
  read: (files: readonly OpenDelivery[]) => Promise<T>,
  open: readonly OpenDelivery[] = [],
): Promise<T> {
  if (first === undefined) return await read(open);
  return await first.use((path) => withPaths(rest, read, [...open, { ...first, path }]));
}
