import { defineErrors } from "../errors.ts";

export const registryErrors = defineErrors({
  REGISTRY_MODEL_UNKNOWN: { kind: "not-found", hint: "Register a version of the model first; names are exact." },
  REGISTRY_MODEL_EXISTS: { kind: "conflict", hint: "Choose another name, or rename or delete the model that has it." },
  REGISTRY_VERSION_UNKNOWN: { kind: "not-found", hint: "List the model's versions." },
  REGISTRY_ALIAS_UNKNOWN: { kind: "not-found", hint: "Promote a version to the alias first." },
  REGISTRY_NAME_INVALID: {
    kind: "invalid",
    hint: 'Use at most 256 characters, without "/", ":" and control characters; a name cannot begin with two dots.',
  },
  REGISTRY_ALIAS_INVALID: {
    kind: "invalid",
    hint: 'Use at most 255 letters, digits, underscores and hyphens; "latest", "v1", "v2" and so on are reserved.',
  },
  REGISTRY_TAG_INVALID: {
    kind: "invalid",
    hint: "Use a key of at most 250 letters, digits, underscores, hyphens, dots, spaces, colons and slashes, and a value of at most 100,000 characters.",
  },
  REGISTRY_TEXT_INVALID: { kind: "invalid", hint: "Use at most 100,000 characters, and none of them the character 0." },
  REGISTRY_SOURCE_INVALID: {
    kind: "invalid",
    hint: "Name the model's folder by an artifact URI (mlflow-artifacts:/, runs:/, models:/, s3:// and so on), written out without steps upwards.",
  },
  REGISTRY_STAGE_INVALID: { kind: "invalid", hint: "Others can be archived when a version goes to Staging or Production only." },
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
  REGISTRY_APPROVAL_MISSING: {
    kind: "conflict",
    hint: 'Somebody with the role that the gate asks for approves it: orrery models approve NAME@VERSION --reason "…".',
  },
  REGISTRY_APPROVAL_DECLINED: {
    kind: "conflict",
    hint: "Read the reason in the gate's verdict; who declined can still approve.",
  },
  REGISTRY_APPROVAL_DENIED: { kind: "denied", hint: "Ask somebody with the role that the version's gate names." },
  REGISTRY_KEY_REUSED: { kind: "conflict", hint: "Use a new idempotency key for another decision." },
  REGISTRY_NOTHING_TO_ROLL_BACK: { kind: "conflict", hint: "The alias has had one version only; promote another instead." },
});
