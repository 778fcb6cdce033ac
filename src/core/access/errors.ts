import { defineErrors } from "../errors.ts";
import { ROLES } from "./roles.ts";

export const accessErrors = defineErrors({
  ACCESS_NAME_INVALID: {
    kind: "invalid",
    hint: "A user's name has up to 100 letters, digits, dots, dashes, underscores and at signs, and begins with a letter or digit.",
  },
  ACCESS_USER_UNKNOWN: { kind: "not-found", hint: "`orrery users list` shows who there is." },
  ACCESS_USER_EXISTS: { kind: "conflict", hint: "`orrery users grant` gives a user that is there another role." },
  ACCESS_USER_DISABLED: { kind: "conflict", hint: "`orrery users enable` lets the user in again." },
  ACCESS_ROLE_UNKNOWN: { kind: "invalid", hint: `There are ${ROLES.join(", ")}.` },
  ACCESS_GRANT_UNKNOWN: { kind: "not-found", hint: "`orrery users list` shows the roles that each user has been granted." },
  ACCESS_TOKEN_UNKNOWN: { kind: "not-found", hint: "`orrery tokens list` shows the tokens there are." },
  ACCESS_EXPIRY_INVALID: { kind: "invalid", hint: "Choose a time that is still to come, or none for a token without an end." },
  ACCESS_CURSOR_INVALID: { kind: "invalid", hint: "Use the cursor that the page before gave, or none." },
});
