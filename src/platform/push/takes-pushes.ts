import type { ProjectDefinition } from "../../core/definitions/index.ts";

/** Whether rows are pushed to any of the project's sources. */
export const takesPushes = ({ sources }: Pick<ProjectDefinition, "sources">): boolean =>
  sources.some(({ origin }) => origin.kind === "push");
