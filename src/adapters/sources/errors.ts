import { defineErrors } from "../../core/errors.ts";

export const sourceErrors = defineErrors({
  SOURCE_ADDRESS_INVALID: {
    kind: "invalid",
    hint: "Write postgres://user@host:5432/database?sslmode=verify-full (characters like @ in a password as %40), s3://bucket/path or https://host/path.",
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
  SOURCE_FILE_MISSING: { kind: "not-found", hint: "Check the address in the source's definition." },
  SOURCE_FILE_CHANGED: { kind: "conflict", hint: "The file was replaced while it was copied; run this again." },
  SOURCE_TOO_LARGE: { kind: "invalid", hint: "Deliver smaller files, or raise maxBytes in the source's definition." },
  SOURCE_REDIRECT_REFUSED: { kind: "denied", hint: "Write the address where the file is now into the source's definition." },
  SOURCE_ANSWER_UNEXPECTED: { kind: "invalid", hint: "Ask for the address by hand: it must answer 200 with the file's bytes." },
  SOURCE_QUERY_FAILED: { kind: "invalid", hint: "Try the source's query by itself: it must be one SELECT that only reads." },
});
