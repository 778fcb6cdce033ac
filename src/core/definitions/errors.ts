import { defineErrors } from "../errors.ts";

export const definitionErrors = defineErrors({
  DEFINITION_FEATURE_TWICE: {
    kind: "invalid",
    hint: 'A view\'s columns, expressions and aggregates need names of their own; several windows add theirs: visits.over("1h", "24h") makes visits_1h and visits_24h.',
  },
  DEFINITION_FEATURE_CYCLE: {
    kind: "invalid",
    hint: "Take one of them out of the inputs: an on-demand feature reads what was there before it.",
  },
  DEFINITION_KEY_UNKNOWN: {
    kind: "invalid",
    hint: 'as("dest_weather", { airport: "dest" }) names keys of the view\'s entity, each with a field of its own.',
  },
  DEFINITION_VALUE_INVALID: { kind: "invalid", hint: "Give the value that the message asks for." },
});
