import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { destination, type Logger, pino } from "pino";

export interface LoggerOptions {
  level: string;
  /** A file, made with its folder; standard error where absent. */
  file?: string;
  /** On every line: process, workspace, project … */
  bindings: Readonly<Record<string, unknown>>;
}

/** Structured logs, one JSON object a line. Anything named like a secret is left out wherever it stands. */
export function createLogger({ level, file, bindings }: LoggerOptions): Logger {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const secrets = ["authorization", "token", "password", "secret"];
  return pino(
    {
      level,
      base: { ...bindings, pid: process.pid },
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), remove: true },
    },
    destination({ dest: file ?? 2, sync: file === undefined }),
  );
}
