import { type FileHandle, open } from "node:fs/promises";
import { toOrreryError } from "../../errors.ts";
import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import type { StudySpec } from "./study.ts";
import type { EndedTrial, RunningTrial } from "./trial.ts";

/** What happened in a study, in order. */
export type StudyRecord =
  | { readonly kind: "study"; readonly formatVersion: number; readonly spec: StudySpec }
  /** A process began to work on the study. */
  | { readonly kind: "opened"; readonly at: Micros }
  | { readonly kind: "started"; readonly trial: Omit<RunningTrial, "limits"> }
  | { readonly kind: "ended"; readonly trial: EndedTrial };

/**
 * Where a study is kept. One process at a time writes to it; the owner of the place sees to that.
 */
export interface StudyJournal {
  /** What was appended by this and earlier processes, in order. */
  read(): Promise<readonly StudyRecord[]>;
  /** Resolves when the record and all before it would survive the machine's failure. @throws TRAIN_STUDY_NOT_WRITTEN */
  append(record: StudyRecord): Promise<void>;
  close(): Promise<void>;
}

/** A journal that ends with the process. */
export function memoryJournal(): StudyJournal {
  const records: StudyRecord[] = [];
  return {
    read: async () => [...records],
    append: async (record) => {
      records.push(record);
    },
    close: async () => undefined,
  };
}

/**
 * A file with one JSON record a line, made where there is none. A last line that was cut off by a crash is cut away.
 * @throws TRAIN_STUDY_CORRUPT, TRAIN_STUDY_NOT_WRITTEN
 */
export async function openStudyJournal(path: string): Promise<StudyJournal> {
  let file: FileHandle;
  try {
    file = await open(path, "a+");
  } catch (cause) {
    throw notWritten(path, cause);
  }
  try {
    return fileJournal(path, file, await takeRecords(path, file));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The whole records of a file; what stands after the last is cut away. */
async function takeRecords(path: string, file: FileHandle): Promise<StudyRecord[]> {
  const text = await file.readFile("utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const records = whole.split("\n").slice(0, -1).map(parseRecord(path));
  if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
  return records;
}

function fileJournal(path: string, file: FileHandle, records: StudyRecord[]): StudyJournal {
  let writing = Promise.resolve();
  return {
    read: async () => [...records],
    append(record) {
      // After a write that failed, the file may end in half a line: nothing more is written, and the next start cuts it away.
      writing = writing.then(async () => {
        await file.appendFile(`${JSON.stringify(record)}\n`);
        await file.datasync();
        records.push(record);
      });
      return writing.catch((cause) => {
        throw notWritten(path, cause);
      });
    },
    async close() {
      await writing.catch(() => undefined);
      await file.close();
    },
  };
}

const notWritten = (path: string, cause: unknown) =>
  trainErrors.TRAIN_STUDY_NOT_WRITTEN(`${path} cannot be written: ${toOrreryError(cause).message}`, { cause });

const parseRecord =
  (path: string) =>
  (line: string, index: number): StudyRecord => {
    try {
      // A line that parses is one that this module wrote.
      return JSON.parse(line);
    } catch (cause) {
      throw trainErrors.TRAIN_STUDY_CORRUPT(`${path}: line ${index + 1} is not a record`, { cause });
    }
  };
