import { defineErrors } from "../errors.ts";

export const featureErrors = defineErrors({
  FEATURE_NONE: { kind: "invalid", hint: "List features in defineModel({ features: [view.all(), …] })." },
  FEATURE_DUPLICATE: {
    kind: "invalid",
    hint: "A feature's id (view.feature) is unique in a model, whatever the letters' case: rename one or list it once.",
  },
  FEATURE_NAME_INVALID: { kind: "invalid", hint: 'Names are not empty and hold no "."; "on-demand" and "on_demand" are taken.' },
  FEATURE_UNKNOWN: { kind: "invalid", hint: "Use an id of the model's plan, such as view.feature or on-demand.name." },
  FEATURE_LINEAGE_UNKNOWN: {
    kind: "not-found",
    hint: 'Ask for a source, "source.column", feature view, feature, model or endpoint of the project; without a name, all is shown.',
  },
  FEATURE_VIEW_UNKNOWN: {
    kind: "not-found",
    hint: "Ask for a view of the project by its name; GET /features of the feature server lists them.",
  },
  FEATURE_SERVICE_UNKNOWN: { kind: "not-found", hint: "Use the name given to featureService() in the project file." },
  FEATURE_ROWS_INVALID: {
    kind: "invalid",
    hint: "The rows need the features' keys and request fields by name and type, and the time that each is asked about, in a column named by `at`.",
  },
  FEATURE_COLUMN_UNKNOWN: { kind: "invalid", hint: "Declare the column in the source, or correct its name." },
  FEATURE_KEY_INVALID: {
    kind: "invalid",
    hint: "Entity keys are string, int32, int64, bool or timestamp columns that the view's and the label's source both have, with one type.",
  },
  FEATURE_REQUEST_TYPE: {
    kind: "invalid",
    hint: "Give the request field one type wherever it is used, that of the label source's column.",
  },
  FEATURE_REQUEST_MISSING: {
    kind: "invalid",
    hint: "Training reads request fields from the label source's columns of the same name: add the column, or drop the field.",
  },
  FEATURE_REQUEST_INVALID: {
    kind: "invalid",
    hint: "Correct the fields that are named; the endpoint's page shows what a request holds.",
  },
  FEATURE_TIME_MISSING: { kind: "invalid", hint: "Give the source an eventTime: without one its rows have no age." },
  FEATURE_WINDOW_INVALID: { kind: "invalid", hint: 'Windows and ttl are longer than nothing: .over("24h"), ttl: "6h".' },
  FEATURE_AGGREGATE_TYPE: {
    kind: "invalid",
    hint: "Aggregate a number or a condition; count() and rate() take a condition; first(), last() and lastN() are told the type that their expression has.",
  },
  FEATURE_EXPRESSION_TYPE: {
    kind: "invalid",
    hint: 'Say the type that the SQL expression has, or cast it: sql("CAST(distance / 2 AS INTEGER)", "int32").',
  },
  FEATURE_ON_DEMAND_SOURCE: {
    kind: "invalid",
    hint: "Write compute as an arrow function or a method: its source text travels with the model.",
  },
  FEATURE_ON_DEMAND_NOT_SELF_CONTAINED: {
    kind: "invalid",
    hint: "compute may use its arguments and JavaScript's own built-ins, but no imports, outer variables, clock or chance: move them inside or pass them in.",
  },
  FEATURE_ON_DEMAND_INPUTS: { kind: "invalid", hint: "Each input and request field of compute needs a name of its own." },
  FEATURE_ON_DEMAND_TYPE: { kind: "invalid", hint: 'Make compute return what "returns" says, or null.' },
  FEATURE_ON_DEMAND_FAILED: {
    kind: "invalid",
    hint: "Make compute return null where it has no value; every feature among its inputs can be null.",
  },
  FEATURE_ON_DEMAND_DIFFERS: {
    kind: "invalid",
    hint: "The function behaves otherwise when rebuilt from its text: it must depend on nothing but its arguments.",
  },
  FEATURE_LEAK: {
    kind: "invalid",
    hint: "The column is known only after the prediction is made. Drop it, or read it as a feature of a view, where availability is kept.",
  },
  FEATURE_SOURCE_MISSING: { kind: "not-found", hint: "Ingest the source first, and pass its snapshot." },
  FEATURE_LABEL_EMPTY: { kind: "invalid", hint: "Widen the period, move asOf later, or check that the label's source has rows." },
  FEATURE_LABEL_TIME_MISSING: {
    kind: "invalid",
    hint: "Every labelled row needs its event's time: make the column not nullable, so that such rows are quarantined.",
  },
  FEATURE_LABEL_INVALID: {
    kind: "invalid",
    hint: "What censors a label is a SQL condition over its source's columns; the label is one too, or the class or the finite number that the charter's target type asks for.",
  },
  FEATURE_RULE_INVALID: {
    kind: "invalid",
    hint: 'The rule is a SQL condition over the model\'s features: "view.feature", or on_demand.name for on-demand ones.',
  },
  FEATURE_SEGMENT_UNKNOWN: {
    kind: "invalid",
    hint: "A segment is a column of the label's source, or the id of one of the model's features.",
  },
  FEATURE_RANGE_INVALID: {
    kind: "invalid",
    hint: "from lies before to, and from before asOf: later predictions have not been made yet.",
  },
  FEATURE_SET_RECORD_DAMAGED: {
    kind: "internal",
    hint: "The record of the training set is damaged or of another version of Orrery: its file (training-set.parquet in its run) is what is left of it.",
  },
  FEATURE_SET_UNKNOWN: {
    kind: "not-found",
    hint: "`orrery training-sets` lists the training sets that were saved; their ids are those of their runs.",
  },
  FEATURE_SET_WITHOUT_RECORD: {
    kind: "invalid",
    hint: "It was saved before records were kept: its file (training-set.parquet in its run) is all there is of it.",
  },
  FEATURE_SET_DATA_GONE: {
    kind: "not-found",
    hint: "Restore the snapshots' files from a backup of the time when the training set was made.",
  },
  FEATURE_SET_ERASED: {
    kind: "conflict",
    hint: "An erasure took rows out of what it was made of; nothing brings them back. Its file holds what is left of it.",
  },
  FEATURE_SET_DIFFERS: {
    kind: "conflict",
    hint: "Equal data and definitions give equal bytes with the same versions of Orrery and DuckDB: use those that the record names (`orrery training-sets show`).",
  },
  FEATURE_VIEW_NOT_MATERIALIZED: { kind: "unavailable", hint: "Materialize the view: orrery features materialize." },
  FEATURE_VIEW_CHANGED: {
    kind: "unavailable",
    hint: "The online store has no version of the view that the model was trained on: materialize, deploy a model of the present definition, or define the feature as it was.",
  },
  FEATURE_READ_TOO_EARLY: {
    kind: "invalid",
    hint: "The online store answers from shortly before its last materialization on; for older times build historical features.",
  },
  FEATURE_RECORD_CORRUPT: {
    kind: "internal",
    hint: "It is made anew when it is not there: stop what runs, take the online/ folder of the state away (or empty the Redis database), materialize.",
  },
});
