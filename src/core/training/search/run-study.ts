import { trainErrors } from "../errors.ts";
import { openStudy } from "./journaled-study.ts";
import { checkSettings, DEFAULT_FAILURES, runSearch, type SearchSettings } from "./run-search.ts";
import type { TrialEvaluator } from "./run-trial.ts";
import { checkBudget, type SearchEnd } from "./search-budget.ts";
import { checkSpace } from "./space.ts";
import { type StudyDefinition, studySpec } from "./study.ts";
import { memoryJournal, type StudyJournal } from "./study-journal.ts";
import type { EndedTrial, FinishedTrial } from "./trial.ts";

export interface StudyOptions extends SearchSettings, StudyDefinition {
  readonly evaluate: TrialEvaluator;
  /** Absent: the search is forgotten with the process. */
  readonly journal?: StudyJournal;
  /** After each trial, when the journal has it. */
  readonly onTrial?: (trial: EndedTrial) => void;
}

export interface StudyResult {
  /** By number: finished, pruned and failed. */
  readonly trials: readonly EndedTrial[];
  /** Null when the search ended before its first trial did. */
  readonly best: FinishedTrial | null;
  readonly end: SearchEnd;
}

/**
 * Searches a space, or goes on where its journal stands: trials that have ended are not repeated. The same seed with one worker
 * gives the same trials; with more, the order in which trials end has a say.
 *
 * @throws TRAIN_SEARCH_SPACE_INVALID, TRAIN_PARAMETER_INVALID for what cannot be searched; TRAIN_SEARCH_FAILED after too many
 * failed trials in a row, or when none finished, with the first error; TRAIN_STUDY_DIFFERS and what else the journal throws
 */
export async function runStudy(options: StudyOptions): Promise<StudyResult> {
  const { journal = memoryJournal(), evaluate, clock, budget, failures = DEFAULT_FAILURES, onTrial } = options;
  const spec = studySpec(options);
  checkSpace(spec.space);
  checkSettings(options);
  checkBudget(budget, spec.sampler.kind !== "grid");
  const journaled = await openStudy(spec, journal, clock.now());
  const { study } = journaled;

  const failedInARow: EndedTrial[] = [];
  const end = await runSearch(
    [{ name: "study", journaled, evaluate }],
    options,
    ([open = null]) => (failedInARow.length < failures ? open : null),
    (trial) => {
      if (trial.state === "failed") failedInARow.push(trial);
      else if (failedInARow.length < failures) failedInARow.length = 0;
      onTrial?.(trial);
    },
  );
  const { ended: trials, best } = study;
  if (failedInARow.length >= failures) throw searchFailed(failedInARow, `${failedInARow.length} trials in a row failed`);
  if (best === null && trials.length > 0) throw searchFailed(trials, `None of ${trials.length} trials finished`);
  return { trials, best, end };
}

/** With the first error, which is more telling than those that follow from it. */
export function searchFailed(trials: readonly EndedTrial[], what: string) {
  const first = trials.find((trial) => trial.state === "failed");
  if (first === undefined) return trainErrors.TRAIN_SEARCH_FAILED(what);
  const { error, number, params } = first;
  return trainErrors.TRAIN_SEARCH_FAILED(`${what}; trial ${number}: ${error.message}`, {
    hint: error.hint,
    details: { trial: number, params, error },
  });
}
