export type * from "./dataset.ts";
export type * from "./model.ts";
