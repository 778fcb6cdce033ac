import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import { Study, type StudySpec } from "./study.ts";
import type { StudyJournal, StudyRecord } from "./study-journal.ts";
import type { EndedTrial, RunningTrial, TrialOutcome } from "./trial.ts";

const FORMAT_VERSION = 1;

/** A study that writes down what it asks and is told, and goes on from what its journal holds. */
export interface JournaledStudy {
  readonly study: Study;
  /** How long earlier processes worked on it, until their last record. */
  readonly spent: Micros;
  ask(now: Micros): Promise<RunningTrial | null>;
  /** The trial is in the journal when this resolves. */
  tell(number: number, outcome: TrialOutcome, now: Micros): Promise<EndedTrial>;
}

/**
 * Begins a study, or takes it up where its journal stands: finished trials are not repeated, those that were cut off are asked for
 * again with the same parameters.
 * @throws TRAIN_STUDY_DIFFERS, TRAIN_STUDY_NEWER, TRAIN_STUDY_CORRUPT, TRAIN_SEARCH_SPACE_INVALID, TRAIN_PARAMETER_INVALID
 */
export async function openStudy(spec: StudySpec, journal: StudyJournal, now: Micros): Promise<JournaledStudy> {
  const records = await journal.read();
  checkHeader(records, spec);
  const ended = records.flatMap((record) => (record.kind === "ended" ? [record.trial] : []));
  const done = new Set(ended.map(({ number }) => number));
  const started = records.flatMap((record) => (record.kind === "started" ? [record.trial] : []));
  const interrupted = new Map(started.filter(({ number }) => !done.has(number)).map((trial) => [trial.number, trial]));
  const study = new Study(spec, { ended, interrupted: [...interrupted.values()] });

  if (records.length === 0) await journal.append({ kind: "study", formatVersion: FORMAT_VERSION, spec });
  await journal.append({ kind: "opened", at: now });
  return {
    study,
    spent: timeSpent(records),
    async ask(at) {
      const trial = study.ask(at);
      if (trial !== null) {
        const { number, params, startedAt } = trial;
        await journal.append({ kind: "started", trial: { number, params, startedAt } });
      }
      return trial;
    },
    async tell(number, outcome, at) {
      const trial = study.tell(number, outcome, at);
      await journal.append({ kind: "ended", trial });
      return trial;
    },
  };
}

function checkHeader(records: readonly StudyRecord[], spec: StudySpec): void {
  const [first] = records;
  if (first === undefined) return;
  if (first.kind !== "study") throw trainErrors.TRAIN_STUDY_CORRUPT("The journal does not begin with its study");
  if (first.formatVersion > FORMAT_VERSION)
    throw trainErrors.TRAIN_STUDY_NEWER(`The journal has format ${first.formatVersion}; this version reads ${FORMAT_VERSION}`);
  const differing = Object.entries(spec).filter(([key, value]) => !sameJson(value, Reflect.get(first.spec, key)));
  if (differing.length === 0) return;
  const names = differing.map(([key]) => key);
  throw trainErrors.TRAIN_STUDY_DIFFERS(`The journal was begun with another ${names.join(", ")}`, {
    details: { differs: names },
  });
}

const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** From each opening to the last record before the next one. */
function timeSpent(records: readonly StudyRecord[]): Micros {
  let spent = 0;
  let opened: Micros | null = null;
  let last = 0;
  for (const record of records) {
    if (record.kind === "study") continue;
    if (record.kind === "opened") {
      if (opened !== null) spent += last - opened;
      opened = record.at;
    }
    last = timeOf(record);
  }
  return opened === null ? spent : spent + last - opened;
}

function timeOf(record: Exclude<StudyRecord, { kind: "study" }>): Micros {
  if (record.kind === "opened") return record.at;
  return record.kind === "started" ? record.trial.startedAt : record.trial.endedAt;
}
