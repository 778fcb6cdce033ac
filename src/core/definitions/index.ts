export * from "./charter.ts";
export * from "./columns.ts";
export * from "./features.ts";
export * from "./model.ts";
export * from "./operation.ts";
export * from "./project.ts";
export * from "./secret.ts";
export * from "./source.ts";
