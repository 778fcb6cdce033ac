import { randomBytes } from "node:crypto";
import type { Clock } from "../ports/index.ts";
import type { Actor } from "../scope.ts";

/** Crockford's base 32: no letters that are mistaken for digits, and in the order of their codes. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
/** 11 digits of 5 bits hold every safe integer of microseconds. */
const TIME_DIGITS = 11;
const RANDOM_BYTES = 10;

const lastTime = new WeakMap<Clock, number>();

/**
 * "prefix-" + time + randomness: ids made later by one process sort later, also while a virtual clock stands still.
 * Unique, not secret.
 */
export function sortableId(prefix: string, clock: Clock): string {
  const time = Math.max(clock.now(), (lastTime.get(clock) ?? -1) + 1);
  lastTime.set(clock, time);
  let digits = "";
  for (let rest = time, each = 0; each < TIME_DIGITS; each++, rest = Math.floor(rest / 32))
    digits = DIGITS.charAt(rest % 32) + digits;
  const random = Array.from(randomBytes(RANDOM_BYTES), (byte) => DIGITS.charAt(byte % 32)).join("");
  return `${prefix}-${digits}${random}`;
}

/** An actor as history keeps it: "user:anna", "system:scheduler", "anonymous". */
export const actorText = ({ kind, name }: Actor): string => (kind === "anonymous" ? kind : `${kind}:${name}`);
