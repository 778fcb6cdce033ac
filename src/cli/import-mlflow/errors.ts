import { defineErrors } from "../../core/errors.ts";

export const importErrors = defineErrors({
  IMPORT_ADDRESS_INVALID: { kind: "invalid", hint: "Give the address that MLFLOW_TRACKING_URI has, as http://127.0.0.1:5000." },
  IMPORT_SOURCE_FAILED: {
    kind: "unavailable",
    hint: "See whether the server runs and lets you in (MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD); then run the import again: it goes on where it stopped.",
  },
  IMPORT_INCOMPLETE: { kind: "conflict", hint: "What was not taken is listed above with its reason; the rest is there." },
});
