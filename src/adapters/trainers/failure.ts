import { readFile } from "node:fs/promises";
import type { OrreryError } from "../../core/errors.ts";
import type { TrainerRequest } from "../../core/ports/index.ts";
import { trainerErrors } from "./errors.ts";
import type { SupervisedEnd } from "./supervise.ts";
import { megabytes } from "./training-files.ts";

/** As orrery_run.py writes it. */
interface Raised {
  readonly type: string;
  /** The traceback's last line. */
  readonly message: string;
  /** "train.py:12" */
  readonly place: string | null;
}

/** Why a program did not end well; null when it did. `details.log` holds what it printed. */
export async function failureOf(end: SupervisedEnd, request: TrainerRequest, path: string): Promise<OrreryError | null> {
  const { program, timeoutMs, memoryBytes } = request;
  const details = { program, seconds: end.seconds, peakBytes: end.peakBytes, log: end.log };
  switch (end.outcome) {
    case "cancelled":
      return trainerErrors.TRAIN_PYTHON_CANCELLED(`${program} was cancelled`, { details });
    case "timeout":
      return trainerErrors.TRAIN_PYTHON_TIMEOUT(`${program} took longer than ${timeoutMs / 1_000} s`, { details });
    case "memory":
      return trainerErrors.TRAIN_PYTHON_OUT_OF_MEMORY(
        `${program} held ${megabytes(end.peakBytes)} of memory; its limit is ${megabytes(memoryBytes ?? 0)}`,
        { details },
      );
    case "lost":
      return trainerErrors.TRAIN_PYTHON_PROGRAM_FAILED(
        `${program} was killed from outside; the machine may have run out of memory`,
        {
          details,
        },
      );
    case "not-started":
      return trainerErrors.TRAIN_PYTHON_PROGRAM_FAILED(`${program} could not be started: ${lastLine(end.log)}`, { details });
    case "exited":
      return end.code === 0 ? null : await exitFailure(end, program, details, path);
  }
}

async function exitFailure(
  end: SupervisedEnd,
  program: string,
  details: Record<string, unknown>,
  path: string,
): Promise<OrreryError> {
  const raised = await readRaised(path);
  if (raised === null) {
    const how = end.signal === null ? `ended with code ${end.code}` : `was killed by ${end.signal}`;
    const last = lastLine(end.log);
    return trainerErrors.TRAIN_PYTHON_PROGRAM_FAILED(`${program} ${how}${last === "" ? "" : `: ${last}`}`, { details });
  }
  if (raised.type === "ProgramMissing") return trainerErrors.TRAIN_PYTHON_PROGRAM_MISSING(raised.message, { details });
  const place = raised.place === null ? "" : ` (${raised.place})`;
  const make =
    raised.type === "MemoryError" ? trainerErrors.TRAIN_PYTHON_OUT_OF_MEMORY : trainerErrors.TRAIN_PYTHON_PROGRAM_FAILED;
  return make(`${program} raised ${raised.message}${place}`, { details: { ...details, place: raised.place } });
}

async function readRaised(path: string): Promise<Raised | null> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null;
  }
}

const lastLine = (log: string): string => log.trimEnd().split("\n").at(-1)?.slice(0, 500) ?? "";
