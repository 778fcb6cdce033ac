import { Button } from "@mantine/core";
import { ApiError } from "../../../src/client/index.ts";

interface Told {
  code: string;
  message: string;
  hint: string;
}

/** What a person is told: the server's own code, message and hint, or that nothing answered. */
export function describeError(error: unknown): Told {
  if (error instanceof ApiError) return error.body;
  if (error instanceof TypeError) {
    return { code: "UNREACHABLE", message: "The server does not answer", hint: "Is `orrery up` still running?" };
  }
  return { code: "UNEXPECTED", message: error instanceof Error ? error.message : String(error), hint: "Reload the page." };
}

export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { code, message, hint } = describeError(error);
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{message}</strong>
      </p>
      <p>{hint}</p>
      <p className="row">
        <span className="code">{code}</span>
        {onRetry === undefined ? null : (
          <Button size="compact-xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </p>
    </div>
  );
}
