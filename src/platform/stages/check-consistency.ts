import type { Snapshot } from "../../core/data/index.ts";
import type { ConsistencyReport } from "../../core/monitoring/index.ts";
import { type ConsistencyOptions, checkConsistency } from "./consistency.ts";
import { ingestAll } from "./ingest.ts";
import { materializeAll } from "./materialize.ts";
import { stage } from "./stage.ts";

export interface CheckConsistencyOutput {
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  readonly report: ConsistencyReport;
}

/** Outside of pipeline runs: brings the online store up to now first, so that what differs is wrong and not late. */
export default stage<ConsistencyOptions & { previous: Readonly<Record<string, Snapshot>> }, CheckConsistencyOutput>(
  async (opened, { previous, ...options }) => {
    const taken = await ingestAll(opened, previous, { countRows: false });
    const snapshots = Object.fromEntries([...taken].map(([name, { snapshot }]) => [name, snapshot]));
    await materializeAll(opened, snapshots);
    return { snapshots, report: await checkConsistency(opened, snapshots, options) };
  },
);
