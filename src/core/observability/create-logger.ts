import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { destination, type Logger, pino } from "pino";

export interface LoggerOptions {
  level: string;
  /** A file, made with its folder; standard error where absent. */
  file?: string;
  /** On every line: process, workspace, project …; `logger.child({ runId, traceId })` adds more. */
  bindings: Readonly<Record<string, unknown>>;
}

const SECRETS = ["authorization", "cookie", "token", "password", "secret", "apiKey"].flatMap((name) => [
  name,
  name.charAt(0).toUpperCase() + name.slice(1),
]);

/** Characters that may wait for a disk that refuses; lines beyond are dropped. */
const MOST_WAITING = 1024 * 1024;

/**
 * Structured logs, one JSON object a line. What is named like a secret is left out down to the third level. A log that cannot be
 * written (full disk, closed terminal) is silent; it takes nothing down with it.
 */
export function createLogger({ level, file, bindings }: LoggerOptions): Logger {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  // Synchronous, because pino's other way never ends a process whose disk is full: it tries its last lines again for ever.
  const stream = destination({ dest: file ?? 2, sync: true, maxLength: MOST_WAITING });
  stream.on("error", () => undefined);
  return pino(
    {
      level,
      base: { ...bindings, pid: process.pid },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), remove: true },
    },
    stream,
  );
}
