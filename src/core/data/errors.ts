import { defineErrors } from "../errors.ts";

export const dataErrors = defineErrors({
  DATA_FILE_MISSING: {
    kind: "not-found",
    hint: "Check the path in the source's definition; it is read from the folder of orrery.config.ts.",
  },
  DATA_FILE_UNREADABLE: { kind: "denied", hint: "Give the user that runs Orrery the right to read the file." },
  DATA_FILE_CORRUPT: {
    kind: "invalid",
    hint: "The file is damaged or of another format than the source says; deliver it again.",
  },
  DATA_FILE_CHANGED: {
    kind: "conflict",
    hint: "Write the file under another name and rename it when it is whole; then run this again.",
  },
  DATA_ORIGIN_MISSING: {
    kind: "unavailable",
    hint: "This process was started without what reads such a source; use the `orrery` command or the platform.",
  },
  DATA_QUERY_INVALID: { kind: "invalid", hint: "Name the query's columns: SELECT a.id, b.id AS other_id." },
  DATA_ROWS_INVALID: {
    kind: "invalid",
    hint: "`rows` yields one object a row, its values by column: texts, numbers, bigints, booleans, dates or null.",
  },
  DATA_ROWS_FAILED: {
    kind: "unavailable",
    hint: "The source's own function threw; nothing was taken in. Mend it and run this again.",
  },
  DATA_COLUMN_MISSING: { kind: "invalid", hint: "Rename the column in the definition or deliver it in the file." },
  DATA_SOURCE_CYCLE: {
    kind: "invalid",
    hint: "A joined source reads its base and the sources behind its features; none of them may be made of it: take one feature out.",
  },
  DATA_EMPTY: {
    kind: "invalid",
    hint: "A source needs at least one row: was the file delivered whole, does the query find any?",
  },
  DATA_CONTRACT_INVALID: { kind: "invalid", hint: "Correct the column's contract in the source's definition." },
  DATA_CONTRACT_STOPPED: { kind: "invalid", hint: "Mend the data, or lower the contract's severity to quarantine or warn." },
  DATA_NOTHING_LEFT: {
    kind: "invalid",
    hint: "Every row broke a contract: compare the definition with the violations in the details.",
  },
  DATA_REFERENCE_UNKNOWN: {
    kind: "invalid",
    hint: 'Write oneOf("source.column") with a source of the project that has this column.',
  },
  DATA_PATTERN_INVALID: { kind: "invalid", hint: "Write a regular expression in RE2 syntax." },
  DATA_FORMAT_UNKNOWN: {
    kind: "invalid",
    hint: "Name a .parquet, .csv or .jsonl file (text may be .gz or .zst), a folder or a pattern of such.",
  },
  DATA_LOG_LOST: {
    kind: "conflict",
    hint: "Put the folder push of the state folder back, from a backup or from the machine that ran the project before: nothing was changed. Where it is gone for good, give the source another name; the snapshots keep its rows.",
  },
  DATA_STORE_UNWRITABLE: { kind: "unavailable", hint: "Make the state folder writable; nothing was changed." },
  DATA_EXPRESSION_INVALID: {
    kind: "invalid",
    hint: "Write one SQL expression over the source's columns, without aggregates, windows, subqueries or random functions.",
  },
});
