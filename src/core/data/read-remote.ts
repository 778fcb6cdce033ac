import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type FilesOrigin, resolveSecret, type SourceDefinition } from "../definitions/index.ts";
import type { RemoteFile, RemoteFiles, SourceInputs } from "../ports/index.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { deliveryHash, isOfFormat, partitionOf } from "./read-files.ts";
import type { SnapshotPart } from "./snapshot.ts";
import { withUnpacked } from "./unpack.ts";

const LARGEST = 10 * 2 ** 30;

const REMOTE = /^(s3|https?):\/\//;

/** Whether a source's files are on this machine. */
export const isOnThisMachine = ({ origin }: SourceDefinition): boolean => origin.kind === "files" && !REMOTE.test(origin.path);

/** What reads the files of a path, or null where they are on this machine. @throws DATA_ORIGIN_MISSING */
export function remoteFiles({ path }: FilesOrigin, source: string, inputs: SourceInputs | undefined): RemoteFiles | null {
  const scheme = REMOTE.exec(path)?.[1];
  if (scheme !== "s3" && scheme !== "http" && scheme !== "https") return null;
  if (inputs === undefined) throw dataErrors.DATA_ORIGIN_MISSING(`Nothing here can read ${scheme}:// files of source ${source}`);
  return inputs.files[scheme];
}

/**
 * Files from elsewhere, each copied here before it is read, one at a time, and taken away afterwards. What the other side says has not
 * changed since `previous` is not copied again.
 * @throws SECRET_MISSING, DATA_FILE_CHANGED, and what the reader throws
 */
export async function* remoteDeliveries(
  source: SourceDefinition,
  origin: FilesOrigin,
  files: RemoteFiles,
  { tmpDirectory, previous, firstRows }: { tmpDirectory: string; previous: readonly SnapshotPart[]; firstRows: number },
): AsyncGenerator<Delivery> {
  const { format, path: address } = origin;
  const headers = Object.fromEntries(Object.entries(origin.headers ?? {}).map(([name, from]) => [name, resolveSecret(from)]));
  const options = { headers, maxBytes: origin.maxBytes ?? LARGEST };
  await mkdir(tmpDirectory, { recursive: true });
  const found = await files.list(address, (path) => isOfFormat(path, format), options);
  // A file has rows, most likely more than were asked for.
  for (const file of Number.isFinite(firstRows) ? found.slice(0, 1) : found) {
    const name = file.path.at(-1) ?? address;
    const partition = partitionOf(source, file.path);
    const known = previous.map(({ from }) => from).find((from) => from?.kind === "remote" && from.address === file.address);
    const before = known?.kind === "remote" ? known : null;
    const base = join(tmpDirectory, `remote-${randomUUID()}`);
    const copy = async (version: string | null) => {
      const copied = await files.copy(address, file, { ...options, to: base, known: version });
      return copied === null ? null : { ...copied, fileHash: await hashOf(base) };
    };
    try {
      const copied = await copy(before?.version ?? null);
      const fileHash = copied?.fileHash ?? before?.fileHash ?? "";
      const version = copied === null ? (before?.version ?? null) : copied.version;
      yield {
        name,
        format,
        partition,
        hash: deliveryHash(fileHash, partition),
        ...(version === null ? {} : { from: { kind: "remote", address: file.address, version, fileHash } }),
        async use(read) {
          // Unchanged there, but wanted anew: its contract changed.
          const here = copied ?? (await copy(null));
          if (here === null || here.fileHash !== fileHash)
            throw dataErrors.DATA_FILE_CHANGED(`${name} of source ${source.name} changed while it was read`);
          return await withUnpacked(
            { path: base, name: nameOf(file, here.packed), format, tmpDirectory, source: source.name },
            read,
          );
        },
      };
    } finally {
      await rm(base, { force: true });
    }
  }
}

/** A file that is compressed on the way only says so beside its name. */
function nameOf({ path }: RemoteFile, packed: "gz" | null): string {
  const name = path.at(-1) ?? "";
  return packed === null || /\.gz$/i.test(name) ? name : `${name}.${packed}`;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
