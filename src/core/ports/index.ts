export type { ArtifactRef, ArtifactStore } from "./artifact-store.ts";
export { type Clock, systemClock, VirtualClock } from "./clock.ts";
export type { EventLog } from "./event-log.ts";
export type { Executor, StepHandle, StepTask } from "./executor.ts";
export type * from "./metadata-schema.ts";
export type { MetadataStore } from "./metadata-store.ts";
export type { OnlineStore } from "./online-store.ts";
export type { Column, ColumnTable, SqlValue, TableEngine } from "./table-engine.ts";
export type * from "./trainer.ts";
