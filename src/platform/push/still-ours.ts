import { pushErrors } from "./errors.ts";

/** @param lost aborted when another process runs the project. @throws PUSH_CLAIM_LOST */
export function stillOurs(lost: AbortSignal | undefined): void {
  if (lost?.aborted !== true) return;
  throw pushErrors.PUSH_CLAIM_LOST("Another process runs this project now", { cause: lost.reason });
}
