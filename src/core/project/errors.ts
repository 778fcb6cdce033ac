import { defineErrors } from "../errors.ts";

export const projectErrors = defineErrors({
  PROJECT_REQUIREMENT_UNKNOWN: {
    kind: "invalid",
    hint: "Name a source and columns of the project in the charter's data requirements.",
  },
});

/** Codes of what checkProject finds, with what to do about each. */
export const FINDINGS = {
  PROJECT_NAME_TWICE: "Give each of them a name of its own.",
  PROJECT_NAME_INVALID: "Use letters, digits, hyphens and underscores, beginning with a letter or digit; names become folders.",
  PROJECT_VALUE_INVALID: "Give a value in the stated range.",
  PROJECT_REFERENCE_UNKNOWN: "Add it to defineProject, or correct the name.",
  PROJECT_REFERENCE_CYCLE: "Let one of the sources do without oneOf: each must be taken in before those that refer to it.",
  PROJECT_TARGET_MISMATCH: "The charter's target and the model's label must have one name.",
  PROJECT_COLUMN_UNKNOWN: "Declare the column in the source, or correct the name.",
  PROJECT_COLUMN_TYPE: "Give both the same type.",
  PROJECT_CONTRACT_INVALID: "Correct the column's contract.",
  PROJECT_EXPRESSION_INVALID: "Write one SQL expression over declared columns.",
  PROJECT_LEAK:
    "It is not known yet when the prediction is made; take it as a feature of a view, which sees only what was available.",
  PROJECT_KEY_MISSING: "The label's source must carry the entity's key columns, or the training rows cannot be joined.",
  PROJECT_METRIC_UNKNOWN: "Take a metric of the charter's target type.",
  PROJECT_CANDIDATE_UNSUITED: "Take the candidate out of the model, or correct the charter's target type.",
  PROJECT_SEARCH_INVALID:
    "Correct the candidate's ranges (search.float(low, high), search.log(…), search.int(…), search.choice([…])) or the settings of its search.",
  PROJECT_FILE_MISSING: "Correct the path, which is relative to the project file, or add the file.",
  PROJECT_TASK_NOT_SERVED:
    "Only models of binary targets are served and monitored for now: take the endpoint out; the model is trained, gated and registered without it.",
  PROJECT_STAGE_INCOMPLETE: "Add the stages it needs to the pipeline.",
  PROJECT_DATA: "Mend the file or the definition.",
} as const;
