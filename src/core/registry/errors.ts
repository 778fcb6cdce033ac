import { defineErrors } from "../errors.ts";

export const registryErrors = defineErrors({
  REGISTRY_MODEL_UNKNOWN: { kind: "not-found", hint: "Register a version of the model first; names are exact." },
  REGISTRY_VERSION_UNKNOWN: { kind: "not-found", hint: "List the model's versions." },
  REGISTRY_ALIAS_UNKNOWN: { kind: "not-found", hint: "Promote a version to the alias first." },
  REGISTRY_NAME_INVALID: {
    kind: "invalid",
    hint: "Use letters, digits, hyphens, underscores and dots, at most 100, beginning with a letter.",
  },
  REGISTRY_REASON_MISSING: { kind: "invalid", hint: "Say in a few words why; the promotion history shows it." },
  REGISTRY_GATE_UNKNOWN: { kind: "not-found", hint: "List the gates of the version." },
  REGISTRY_GATE_NOT_PASSED: {
    kind: "conflict",
    hint: "Read the gate's verdicts; promote a version that passed, or without a gate and with a reason.",
  },
  REGISTRY_GATE_STALE: {
    kind: "conflict",
    hint: "The champion has changed since; open a gate on rows that neither has been gated on.",
  },
  REGISTRY_KEY_REUSED: { kind: "conflict", hint: "Use a new idempotency key for another decision." },
  REGISTRY_NOTHING_TO_ROLL_BACK: { kind: "conflict", hint: "The alias has had one version only; promote another instead." },
});
