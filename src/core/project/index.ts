export { checkProject, checkSources, type ProjectFinding } from "./check-project.ts";
export { checkRequirements, type LocatedSnapshot, type RequirementVerdict } from "./check-requirements.ts";
export { FINDINGS, projectErrors } from "./errors.ts";
