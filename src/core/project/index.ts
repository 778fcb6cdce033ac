export { checkProject } from "./check-project.ts";
export { checkRequirements, type LocatedSnapshot, type RequirementVerdict } from "./check-requirements.ts";
export { checkSources } from "./check-sources.ts";
export { FINDINGS, projectErrors } from "./errors.ts";
export type { ProjectFinding } from "./finding.ts";
