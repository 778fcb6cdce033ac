/** What went wrong, in the caller's terms. The server maps kinds to HTTP statuses, the command line to exit codes. */
export type ErrorKind = "invalid" | "not-found" | "conflict" | "denied" | "unavailable" | "internal";

/** HTTP status and process exit code of each kind; documented in docs/reference/errors.md. */
export const ERROR_KINDS = {
  invalid: { status: 422, exitCode: 2 },
  "not-found": { status: 404, exitCode: 3 },
  conflict: { status: 409, exitCode: 4 },
  denied: { status: 403, exitCode: 5 },
  unavailable: { status: 503, exitCode: 75 },
  internal: { status: 500, exitCode: 1 },
} as const satisfies Record<ErrorKind, { status: number; exitCode: number }>;

export interface ErrorDetails {
  /** Replaces the catalogue's hint when the place that fails knows better. */
  hint?: string;
  /** Machine-readable facts: a field's path, counts, names. Never secrets or whole rows. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error class. `message` is one line for a person; `hint` says what to do about it. */
export class OrreryError extends Error {
  override readonly name = "OrreryError";
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint: string;
  readonly details: Record<string, unknown>;

  constructor(code: string, kind: ErrorKind, message: string, hint: string, more: ErrorDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.kind = kind;
    this.hint = more.hint ?? hint;
    this.details = more.details ?? {};
  }

  toJSON() {
    return { code: this.code, kind: this.kind, message: this.message, hint: this.hint, details: this.details };
  }

  /** Rebuilds an error that crossed a process boundary as JSON. */
  static fromJSON(json: ReturnType<OrreryError["toJSON"]>): OrreryError {
    return new OrreryError(json.code, json.kind, json.message, json.hint, { details: json.details });
  }
}

export interface ErrorEntry {
  readonly kind: ErrorKind;
  readonly hint: string;
}

export type ErrorCatalogue<C extends Record<string, ErrorEntry>> = {
  readonly [K in keyof C]: ((message: string, more?: ErrorDetails) => OrreryError) & ErrorEntry;
};

/**
 * Declares a room's errors: `const dataErrors = defineErrors({ DATA_FILE_MISSING: { kind, hint } })`, then
 * `throw dataErrors.DATA_FILE_MISSING("…")`. The keys are the stable codes.
 */
export function defineErrors<const C extends Record<string, ErrorEntry>>(catalogue: C): ErrorCatalogue<C> {
  const made = Object.entries(catalogue).map(([code, { kind, hint }]) => [
    code,
    Object.assign((message: string, more?: ErrorDetails) => new OrreryError(code, kind, message, hint, more), {
      kind,
      hint,
    }),
  ]);
  return Object.fromEntries(made);
}

const internal = defineErrors({
  INTERNAL: { kind: "internal", hint: "This is a defect in Orrery; the log has the details." },
});

/** Anything that was thrown, as an OrreryError; unknown errors become INTERNAL with the cause kept for the log. */
export function toOrreryError(error: unknown): OrreryError {
  if (error instanceof OrreryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return internal.INTERNAL(message.split("\n", 1)[0] ?? "unknown error", { cause: error });
}
