import { readFileSync } from "node:fs";
import { defineErrors } from "../errors.ts";

/** Where a secret is, never what it is: safe in definitions, plans, snapshots and logs. */
export type SecretReference = { readonly kind: "secret"; readonly from: "env" | "file"; readonly name: string };

export const secret = {
  env: (name: string): SecretReference => ({ kind: "secret", from: "env", name }),
  file: (path: string): SecretReference => ({ kind: "secret", from: "file", name: path }),
};

export const secretErrors = defineErrors({
  SECRET_MISSING: {
    kind: "invalid",
    hint: "Set the environment variable, or put the value into the file that the configuration names.",
  },
});

/**
 * The secret's value, read at the moment of use; never keep it.
 * @throws SECRET_MISSING
 */
export function resolveSecret(reference: SecretReference, environment: NodeJS.ProcessEnv = process.env): string {
  if (reference.from === "env") {
    const value = environment[reference.name];
    if (value === undefined || value === "")
      throw secretErrors.SECRET_MISSING(`The environment variable ${reference.name} is not set`);
    return value;
  }
  try {
    return readFileSync(reference.name, "utf8").trim();
  } catch (cause) {
    throw secretErrors.SECRET_MISSING(`The secret file ${reference.name} cannot be read`, { cause });
  }
}
