import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { OrreryError } from "../../core/errors.ts";
import { sourceErrors } from "./errors.ts";

interface Expected {
  /** What is copied, for messages. */
  readonly shown: string;
  readonly to: string;
  /** Bytes that were announced; null where none were. */
  readonly length: number | null;
  readonly maxBytes: number;
}

/**
 * Writes a body to a file, whole or not at all.
 * @throws SOURCE_TOO_LARGE before anything is read where its announced length says so, SOURCE_UNREACHABLE where fewer bytes come
 */
export async function copyStream(body: Readable, { shown, to, length, maxBytes }: Expected): Promise<void> {
  const refuse = () => sourceErrors.SOURCE_TOO_LARGE(`${shown} is larger than ${maxBytes} bytes`);
  if (length !== null && length > maxBytes) {
    body.destroy();
    throw refuse();
  }
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.byteLength;
      done(bytes > maxBytes ? refuse() : null, chunk);
    },
  });
  try {
    await pipeline(body, counted, createWriteStream(to));
    if (length !== null && bytes !== length)
      throw sourceErrors.SOURCE_UNREACHABLE(`${shown} ended after ${bytes} of ${length} bytes`);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

/** Waits before the second, third and fourth try, in milliseconds. */
const WAITS = [250, 1_000, 4_000];
const LONGEST_WAIT = 60_000;

/**
 * Tries again what may pass by waiting: SOURCE_UNREACHABLE, after the time that the other side asks for (`details.retryAfter`, in
 * milliseconds) where it does.
 */
export async function withRetries<T>(attempt: () => Promise<T>, waits: readonly number[] = WAITS): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const pause = waits[tries];
      if (pause === undefined || !(error instanceof OrreryError) || error.code !== "SOURCE_UNREACHABLE") throw error;
      const { retryAfter } = error.details;
      // A little chance keeps many from coming back at once.
      await wait(typeof retryAfter === "number" ? Math.min(retryAfter, LONGEST_WAIT) : pause * (1 + Math.random() / 4));
    }
  }
}
