import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { LONGEST_LINE } from "./delivered-rows.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";

/** A row as text, by column: what is absent was not delivered, null has no value. */
export type TextRow = Readonly<Record<string, string | null>>;

/** Names of columns that rows had and that are not declared, as far as they have been seen. */
export type SeenColumns = Pick<Set<string>, "add" | "size">;

export interface SpoolLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** A batch becomes one part. Fixed, so that the same rows make the same parts. */
const BATCH: SpoolLimits = { rows: 500_000, bytes: 128 * 1024 * 1024 };

/**
 * Turns a stream of rows into deliveries of a bounded size, in constant memory: each is a file that is gone when the next is asked
 * for. The same rows in the same order make the same deliveries, an empty stream none.
 * @throws DATA_ROWS_INVALID for a row larger than 16 MiB, and what the stream throws
 */
export async function* spool(
  source: string,
  rows: AsyncIterable<TextRow>,
  tmpDirectory: string,
  limits: SpoolLimits = BATCH,
): AsyncGenerator<Delivery> {
  await mkdir(tmpDirectory, { recursive: true });
  let first = 1;
  let batch: Batch | null = null;
  try {
    for await (const row of rows) {
      batch ??= await Batch.begin(source, join(tmpDirectory, `rows-${randomUUID()}`));
      await batch.write(row);
      if (batch.rows < limits.rows && batch.bytes < limits.bytes) continue;
      yield await batch.delivery(first);
      first += batch.rows;
      await batch.remove();
      batch = null;
    }
    if (batch !== null) yield await batch.delivery(first);
  } finally {
    await batch?.remove();
  }
}

/** Text that is written at once. */
const CHUNK = 1 << 20;

class Batch {
  rows = 0;
  bytes = 0;
  readonly #source: string;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #text = "";

  private constructor(source: string, path: string, file: FileHandle) {
    this.#source = source;
    this.#path = path;
    this.#file = file;
  }

  static async begin(source: string, path: string): Promise<Batch> {
    return new Batch(source, path, await open(path, "wx").catch((cause) => Promise.reject(unwritable(source, path, cause))));
  }

  async write(row: TextRow): Promise<void> {
    const line = `${JSON.stringify(row)}\n`;
    // A character has at most 3 bytes for each of its halves.
    const bytes = line.length * 3 > LONGEST_LINE ? Buffer.byteLength(line) : 0;
    if (bytes > LONGEST_LINE)
      throw dataErrors.DATA_ROWS_INVALID(`A row of source ${this.#source} has ${bytes} bytes, more than ${LONGEST_LINE}`);
    this.#text += line;
    this.rows += 1;
    this.bytes += line.length;
    if (this.#text.length >= CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    this.#hash.update(text);
    try {
      await this.#file.writeFile(text);
    } catch (cause) {
      throw unwritable(this.#source, this.#path, cause);
    }
  }

  async delivery(first: number): Promise<Delivery> {
    await this.#flush();
    return {
      name: `rows ${first} to ${first + this.rows - 1}`,
      format: "json-lines",
      partition: {},
      hash: this.#hash.digest("hex"),
      use: (read) => read(this.#path),
    };
  }

  async remove(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}

const unwritable = (source: string, path: string, cause: unknown) =>
  dataErrors.DATA_STORE_UNWRITABLE(`Rows of source ${source} cannot be written to ${path}`, { cause });
