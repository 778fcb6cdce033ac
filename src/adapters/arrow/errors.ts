import { defineErrors } from "../../core/errors.ts";

export const arrowErrors = defineErrors({
  ARROW_STREAM_INVALID: { kind: "invalid", hint: "Send an Arrow IPC stream or file, such as pyarrow.ipc.new_stream writes." },
  ARROW_TYPE_UNSUPPORTED: {
    kind: "invalid",
    hint: "Send numbers, booleans, texts, dates and timestamps; cast or leave out other columns.",
  },
});
