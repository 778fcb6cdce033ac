import { defineErrors } from "../errors.ts";

export const explainErrors = defineErrors({
  EXPLAIN_TREE_INVALID: {
    kind: "invalid",
    hint: "The model artifact is damaged or was made by something else; train and register the model again.",
  },
  EXPLAIN_FEATURES_MISMATCH: {
    kind: "invalid",
    hint: "Pass one value or column for every feature of the model's plan, in the plan's order.",
  },
  EXPLAIN_NO_ROWS: { kind: "invalid", hint: "Select at least one row; check the split's dates and the label's coverage." },
  EXPLAIN_METRIC_UNDEFINED: {
    kind: "invalid",
    hint: "Both outcomes must occur among the rows; take a longer period or another metric.",
  },
  EXPLAIN_FEATURE_UNKNOWN: { kind: "invalid", hint: "Name a feature by its id, view.feature, as the model's plan lists them." },
  EXPLAIN_FEATURE_EMPTY: { kind: "invalid", hint: "Take rows in which the feature is known, or explain another feature." },
  EXPLAIN_FEATURE_CATEGORICAL: { kind: "invalid", hint: "Ask for its partial dependence instead." },
  EXPLAIN_BACKGROUND_NEEDED: {
    kind: "invalid",
    hint: "Give rows of the training set as background: this kind of model is explained by comparing with them.",
  },
  EXPLAIN_CONSTRAINT_INVALID: {
    kind: "invalid",
    hint: "Numbers take a direction, bounds and a step above 0; texts take the values that are allowed.",
  },
  EXPLAIN_GOAL_INVALID: {
    kind: "invalid",
    hint: "Say what the prediction should be: a goal (at-least or below a number) for values, toClass for several classes.",
  },
  EXPLAIN_DEPTH_INVALID: { kind: "invalid", hint: "Give a depth of 1 to 4: deeper rules cannot be read." },
  EXPLAIN_TREES_NEEDED: { kind: "invalid", hint: "Only boosting and forests have leaves: compare rows by their features." },
  EXPLAIN_WEIGHTS_INVALID: { kind: "invalid", hint: "Give features weights of at least 0, and one of them more." },
  EXPLAIN_BUDGET_TOO_SMALL: { kind: "invalid", hint: "Allow more evaluations; four for each feature are the least." },
  EXPLAIN_VALUES_INVALID: {
    kind: "invalid",
    hint: "The function that is explained must answer a finite number an output for each row: look at what it says of rows with missing values.",
  },
  EXPLAIN_GROUPS_INVALID: {
    kind: "invalid",
    hint: "Give each row a value in every protected column, and a label, a probability and a weight of at least 0.",
  },
});
