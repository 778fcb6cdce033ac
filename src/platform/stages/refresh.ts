import type { Snapshot } from "../../core/data/index.ts";
import { ingestAll } from "./ingest.ts";
import { type MaterializeOutput, materializeAll } from "./materialize.ts";
import { stage } from "./stage.ts";

export interface RefreshInput {
  readonly previous: Readonly<Record<string, Snapshot>>;
  /** Whether the snapshots go on record: then their rows are counted, and what is expected of them is judged. */
  readonly countRows: boolean;
}

export interface RefreshOutput extends MaterializeOutput {
  readonly snapshots: Readonly<Record<string, Snapshot>>;
}

/** Between pipeline runs: takes in what arrived and brings the online store up to now. Outside the journal, because doing it again is harmless. */
export default stage<RefreshInput, RefreshOutput>(async (opened, { previous, countRows }) => {
  const taken = await ingestAll(opened, previous, { countRows });
  const snapshots = Object.fromEntries([...taken].map(([name, { snapshot }]) => [name, snapshot]));
  return { snapshots, ...(await materializeAll(opened, snapshots)) };
});
