import { defineErrors } from "../../core/errors.ts";

export const featureServerErrors = defineErrors({
  FEATURE_SERVER_REQUEST_INVALID: {
    kind: "invalid",
    hint: "GET /features lists the features, the services and the fields that each view's keys are asked by.",
  },
  FEATURE_SERVER_BODY_REFUSED: { kind: "invalid", hint: "Send one JSON object of at most 16 MiB." },
  FEATURE_SERVER_SERVICE_UNKNOWN: { kind: "not-found", hint: "GET /features lists the feature services." },
  FEATURE_SERVER_VIEW_UNKNOWN: { kind: "not-found", hint: "GET /features lists the feature views." },
  FEATURE_SERVER_SOURCE_UNKNOWN: {
    kind: "invalid",
    hint: "A push source is a source that the project file makes with source.push; GET /sources of the control plane lists them.",
  },
  FEATURE_SERVER_NOT_PUSHED: {
    kind: "invalid",
    hint: "Deliver the rows to the view's source, and materialize: POST /materialize-incremental. Or make the source with source.push.",
  },
  FEATURE_SERVER_ROWS_QUARANTINED: {
    kind: "invalid",
    hint: "Mend the rows that are named and send all of them again: what was taken is known and changes nothing.",
  },
  FEATURE_SERVER_ROUTE_UNKNOWN: {
    kind: "not-found",
    hint: "There are GET and POST /features, Feast's POST /get-online-features, /push, /write-to-online-store, /materialize, /materialize-incremental and GET /health, and GET /healthz, /readyz and /metrics.",
  },
  FEATURE_SERVER_NOT_READY: { kind: "unavailable", hint: "Materialize the project's features: orrery features materialize." },
  FEATURE_SERVER_CONTROL_PLANE_MISSING: {
    kind: "unavailable",
    hint: "Start `orrery up` on the same state folder: it writes what the feature server reads.",
  },
});
