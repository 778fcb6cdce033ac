import { defineErrors } from "../../core/errors.ts";

export const trackerErrors = defineErrors({
  TRACKER_UNREACHABLE: {
    kind: "unavailable",
    hint: "Start the server, or set ORRERY_URL. What was logged is kept: it is sent when the server answers again, else by `orrery runs sync`.",
  },
  TRACKER_ENTRIES_REFUSED: {
    kind: "invalid",
    hint: "The details name every entry that the server refused and why; everything else was logged.",
  },
  TRACKER_NO_RUN: {
    kind: "invalid",
    hint: "Call it inside of startRun(options, async (run) => { … }), or on the run that startRun gave.",
  },
  TRACKER_RUN_ENDED: { kind: "conflict", hint: "Log before the run ends, or start another one." },
  TRACKER_VALUE_INVALID: {
    kind: "invalid",
    hint: "Metrics are numbers, their steps whole numbers, keys text that is not empty.",
  },
  TRACKER_FILE_MISSING: { kind: "not-found", hint: "Name a file that is there: paths are relative to the working directory." },
  TRACKER_SPOOL_UNWRITABLE: {
    kind: "unavailable",
    hint: "Make room, or set ORRERY_SPOOL to a folder that can be written: entries that cannot be sent are kept there.",
  },
  TRACKER_SPOOL_UNREADABLE: {
    kind: "invalid",
    hint: "The folder is not what this version writes; move it away, or send it with the version that wrote it.",
  },
});
