import { randomBytes } from "node:crypto";
import { nextMicros } from "./entries.ts";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/** As the server makes them: in the order of their times. Made here, so that creating a run can be repeated. */
export function newRunId(): string {
  let digits = "";
  for (let rest = nextMicros(), each = 0; each < 11; each++, rest = Math.floor(rest / 32))
    digits = DIGITS.charAt(rest % 32) + digits;
  return `run-${digits}${Array.from(randomBytes(10), (byte) => DIGITS.charAt(byte % 32)).join("")}`;
}
