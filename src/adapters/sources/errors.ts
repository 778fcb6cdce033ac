import { defineErrors } from "../../core/errors.ts";

export const sourceErrors = defineErrors({
  SOURCE_ADDRESS_INVALID: {
    kind: "invalid",
    hint: "Write postgres://user@host:5432/database?sslmode=verify-full into the secret; characters like @ in a password as %40.",
  },
  SOURCE_CLIENT_MISSING: {
    kind: "unavailable",
    hint: "Run npm install: it installs the clients of databases and object stores.",
  },
  SOURCE_DENIED: {
    kind: "denied",
    hint: "Check user, password or token in the secret that the source names, and what they may read.",
  },
  SOURCE_UNREACHABLE: { kind: "unavailable", hint: "Nothing was taken in; run this again when the other side answers." },
  SOURCE_QUERY_FAILED: { kind: "invalid", hint: "Try the source's query by itself: it must be one SELECT that only reads." },
});
