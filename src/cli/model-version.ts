import type { Client } from "../client/index.ts";
import type { RegisteredModel } from "../contract/index.ts";
import { cliErrors } from "./errors.ts";

export type NamedVersion = { readonly name: string; readonly version: number };

/**
 * "churn@3", "churn@challenger", or "churn" alone, for which `unsaid` tells the version.
 * @throws CLI_ALIAS_UNKNOWN
 */
export async function modelVersion(
  client: Client,
  text: string,
  unsaid: (model: RegisteredModel) => number | undefined,
): Promise<NamedVersion> {
  const [name = "", given] = text.split("@", 2);
  if (given !== undefined && /^\d+$/.test(given)) return { name, version: Number(given) };
  const model = await client.models.get({ name });
  const version = given === undefined ? unsaid(model) : model.aliases[given];
  if (version === undefined)
    throw cliErrors.CLI_ALIAS_UNKNOWN(`${name} has no version ${given === undefined ? "to take" : `with the alias ${given}`}`);
  return { name, version };
}

export const newestVersion = ({ versions }: RegisteredModel): number | undefined => versions[0]?.version;

/** What people look at: the version with the alias, or the newest one of a model that has no champion yet. */
export const shownVersion =
  (alias: string) =>
  (model: RegisteredModel): number | undefined =>
    model.aliases[alias] ?? (alias === "champion" ? newestVersion(model) : undefined);
