export type * from "./interfaces.ts";
export { searchExperimentIds, searchLoggedModelIds, searchModelNames, searchVersionKeys } from "./search-entities.ts";
export { searchRunIds } from "./search-runs.ts";
