import { trainErrors } from "./errors.ts";

/**
 * Position of a feature by its id (view.feature), or by its name alone where only one has it.
 * @param what begins the message: "the step clip", "`monotone`"
 * @throws TRAIN_PARAMETER_INVALID
 */
export function findFeature(ids: readonly string[], name: string, what: string): number {
  const exact = ids.indexOf(name);
  if (exact >= 0) return exact;
  const matches = ids.flatMap((id, index) => (id.slice(id.indexOf(".") + 1) === name ? [index] : []));
  if (matches.length === 1) return matches[0];
  const found = matches.length === 0 ? "no feature" : matches.map((index) => ids[index]).join(" and ");
  throw trainErrors.TRAIN_PARAMETER_INVALID(`${what} names ${name}, which is ${found}`, {
    hint: "Name a feature of the model by its id (view.feature), or by its name alone where only one has it.",
  });
}
