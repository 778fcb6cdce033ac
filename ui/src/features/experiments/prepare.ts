import type { Experiment } from "../../../../src/contract/index.ts";

/** Whose name holds the text: `%`, `_` and `\` of it stand for themselves. */
export const nameFilter = (text: string): string | undefined =>
  text.trim() === ""
    ? undefined
    : `name ILIKE '%${text
        .trim()
        .replaceAll(/[\\%_]/g, "\\$&")
        .replaceAll("'", "''")}%'`;

/** What MLflow's clients write about an experiment into a tag. */
const NOTE = "mlflow.note.content";
export const noteOf = ({ tags }: Experiment): string => tags[NOTE] ?? "";

export interface ExperimentChoice {
  readonly value: string;
  readonly label: string;
}

/** What was found, with the one that is chosen, which may not be among it. Names may repeat once one is deleted: its id tells them apart. */
export function experimentChoices(found: readonly Experiment[], chosen: Experiment | undefined): ExperimentChoice[] {
  const all = chosen === undefined || found.some(({ id }) => id === chosen.id) ? found : [chosen, ...found];
  return all.map(({ id, name, lifecycle }) => ({
    value: id,
    label: lifecycle === "deleted" ? `${name} (deleted, ${id})` : name,
  }));
}

/** What the list shows, as its address says it. */
export interface ExperimentsSearch {
  readonly name?: string;
  readonly view?: "deleted";
  readonly cursor?: string;
  readonly page?: number;
}

export function readExperimentsSearch({ name, view, cursor, page }: Record<string, unknown>): ExperimentsSearch {
  const asked = typeof name === "number" ? String(name) : name;
  const walked = typeof cursor === "string" && cursor !== "";
  return {
    ...(typeof asked === "string" && asked !== "" && { name: asked }),
    ...(view === "deleted" && { view }),
    ...(walked && { cursor }),
    ...(walked && Number.isSafeInteger(page) && Number(page) > 1 && { page: Number(page) }),
  };
}
