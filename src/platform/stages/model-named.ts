import type { ModelDefinition, ProjectDefinition } from "../../core/definitions/index.ts";
import { platformErrors } from "../errors.ts";

/** @throws PROJECT_MODEL_UNKNOWN */
export function modelNamed(project: ProjectDefinition, name: string): ModelDefinition {
  const model = project.models.find((each) => each.name === name);
  if (model === undefined) {
    const known = project.models.map((each) => each.name).join(", ");
    throw platformErrors.PROJECT_MODEL_UNKNOWN(`The project has no model "${name}"; it has ${known || "none"}`);
  }
  return model;
}
