import type { Snapshot } from "../../core/data/index.ts";
import { ingestAll } from "./ingest.ts";
import { type MaterializeOutput, materializeAll } from "./materialize.ts";
import { stage } from "./stage.ts";

export interface RefreshOutput extends MaterializeOutput {
  readonly snapshots: Readonly<Record<string, Snapshot>>;
}

/** Between pipeline runs: takes in what arrived and brings the online store up to now. Outside the journal, because doing it again is harmless. */
export default stage<{ previous: Readonly<Record<string, Snapshot>> }, RefreshOutput>(async (opened, { previous }) => {
  const taken = await ingestAll(opened, previous, { countRows: false });
  const snapshots = Object.fromEntries([...taken].map(([name, { snapshot }]) => [name, snapshot]));
  return { snapshots, ...(await materializeAll(opened, snapshots)) };
});
