import { defineErrors } from "../../core/errors.ts";

export const onlineErrors = defineErrors({
  ONLINE_STORE_MISSING: { kind: "unavailable", hint: "Materialize the project's features first, or correct the folder's path." },
  ONLINE_STORE_FULL: { kind: "unavailable", hint: "Free disk space or memory there; what was stored before is as it was." },
  ONLINE_STORE_READ: {
    kind: "unavailable",
    hint: "A backup may be reading it. An erasure that this stopped is finished at the next start of `orrery up`.",
  },
  ONLINE_STORE_READ_ONLY: {
    kind: "denied",
    hint: "Write from the process that owns the state folder, make the folder writable, or name Redis's primary instead of a replica.",
  },
  ONLINE_STORE_UNREACHABLE: {
    kind: "unavailable",
    hint: "See that Redis runs and can be reached from here; reads and writes go on as soon as it answers.",
  },
  ONLINE_STORE_LOGIN_REFUSED: { kind: "denied", hint: "Correct user and password in the address of the online store." },
  ONLINE_STORE_SETTING_INVALID: {
    kind: "invalid",
    hint: 'Give an address such as "redis://user:password@host:6379/0?prefix=orrery:", or rediss: for TLS.',
  },
  ONLINE_STORE_FAILED: {
    kind: "internal",
    hint: "Check the online store; what is in it can be deleted and materialized again.",
  },
  ONLINE_KEY_INVALID: { kind: "invalid", hint: "Keys are non-empty and have at most 1978 bytes; hash longer ones." },
});

/** The longest key of LMDB; other stores keep to it, so that they can be changed for one another. */
const MAX_KEY_BYTES = 1_978;

/** @throws ONLINE_KEY_INVALID */
export function checkKey(key: string): void {
  const bytes = key.length > MAX_KEY_BYTES / 3 ? Buffer.byteLength(key) : key.length;
  if (key === "") throw onlineErrors.ONLINE_KEY_INVALID("An online key is empty");
  if (bytes > MAX_KEY_BYTES) throw onlineErrors.ONLINE_KEY_INVALID(`An online key has ${bytes} bytes`);
}
