import { type MetricName, type ModelDefinition, type ProjectDefinition, selectionMetric } from "../../core/definitions/index.ts";
import { platformErrors } from "../errors.ts";

/** The model, and what its candidates are compared by, said or not. @throws PROJECT_MODEL_UNKNOWN */
export function modelNamed(project: ProjectDefinition, name: string): ModelDefinition & { readonly select: MetricName } {
  const model = project.models.find((each) => each.name === name);
  if (model === undefined) {
    const known = project.models.map((each) => each.name).join(", ");
    throw platformErrors.PROJECT_MODEL_UNKNOWN(`The project has no model "${name}"; it has ${known || "none"}`);
  }
  return { ...model, select: selectionMetric(model, project.charter.target.type) };
}
