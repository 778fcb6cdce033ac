import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { LONGEST_LINE } from "./delivered-rows.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";

/** A row as text, by column: what is absent was not delivered, null has no value. */
export type TextRow = Readonly<Record<string, string | null>>;

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
      batch ??= new Batch(join(tmpDirectory, `rows-${randomUUID()}`));
      await batch.write(source, row);
      if (batch.rows < limits.rows && batch.bytes < limits.bytes) continue;
      yield await batch.delivery(source, first);
      first += batch.rows;
      await batch.remove();
      batch = null;
    }
    if (batch !== null) yield await batch.delivery(source, first);
  } finally {
    await batch?.remove();
  }
}

/** Text that is written at once. */
const CHUNK = 1 << 20;

class Batch {
  rows = 0;
  bytes = 0;
  readonly #path: string;
  readonly #file: WriteStream;
  readonly #hash = createHash("sha256");
  #text = "";

  constructor(path: string) {
    this.#path = path;
    this.#file = createWriteStream(path, { flags: "wx" });
    // Told to whoever writes or ends next.
    this.#file.on("error", () => undefined);
  }

  async write(source: string, row: TextRow): Promise<void> {
    const line = `${JSON.stringify(row)}\n`;
    if (line.length > LONGEST_LINE)
      throw dataErrors.DATA_ROWS_INVALID(`A row of source ${source} has ${line.length} characters, more than ${LONGEST_LINE}`);
    this.#text += line;
    this.rows += 1;
    this.bytes += line.length;
    if (this.#text.length >= CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    this.#hash.update(text);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#file.write(text, (error) => (error ? reject(error) : resolve()));
    await promise;
  }

  async delivery(source: string, first: number): Promise<Delivery> {
    try {
      await this.#flush();
      this.#file.end();
      await finished(this.#file);
    } catch (cause) {
      throw dataErrors.DATA_STORE_UNWRITABLE(`Rows of source ${source} cannot be written to ${this.#path}`, { cause });
    }
    return {
      name: `rows ${first} to ${first + this.rows - 1}`,
      format: "json-lines",
      partition: {},
      hash: this.#hash.digest("hex"),
      use: (read) => read(this.#path),
    };
  }

  async remove(): Promise<void> {
    this.#file.destroy();
    await rm(this.#path, { force: true });
  }
}
