import { createHash } from "node:crypto";
import type { Clock, GateTable, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { registryErrors } from "./errors.ts";
import { type GateVerdict, gatePassed } from "./evaluate-gates.ts";

export interface Gate {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  /** Version it was compared with; null before the first champion. */
  readonly championVersion: number | null;
  readonly openedAt: Micros;
  readonly passed: boolean;
  readonly verdicts: readonly GateVerdict[];
}

export interface GateSubject {
  readonly model: string;
  readonly version: number;
  readonly championVersion: number | null;
  /** What the test rows are, exactly: a hash of the training set's artifact and of the split. */
  readonly testSet: string;
}

export interface Gates {
  /**
   * The test set is opened once per gate: `judge` runs only when this version has not been gated on these rows before, whatever the
   * champion was then; otherwise the stored gate is returned.
   * @throws REGISTRY_VERSION_UNKNOWN
   */
  openGate(subject: GateSubject, judge: () => Promise<readonly GateVerdict[]>): Promise<Gate>;
  /** Keeps verdicts that were reached already; a second gate on the same rows returns the first. @throws REGISTRY_VERSION_UNKNOWN */
  saveGate(gate: GateSubject & { readonly verdicts: readonly GateVerdict[] }): Promise<Gate>;
  /** Of a model or of one version; newest first. */
  gates(model: string, version?: number): Promise<Gate[]>;
  /** @throws REGISTRY_GATE_UNKNOWN */
  gate(id: string): Promise<Gate>;
}

/** The same version on the same rows is the same gate: its id says so. */
const gateId = ({ model, version, testSet }: GateSubject) =>
  `gate-${createHash("sha256")
    .update(JSON.stringify([model, version, testSet]))
    .digest("hex")
    .slice(0, 24)}`;

export const readGate = (row: GateTable): Gate => ({
  id: row.id,
  model: row.model,
  version: row.version,
  championVersion: row.champion_version,
  openedAt: row.opened_at,
  passed: row.passed === 1,
  // Written by saveGate below and nowhere else.
  verdicts: JSON.parse(row.verdicts) as GateVerdict[],
});

export function gateRecords(store: MetadataStore, clock: Clock, { workspace, project }: Scope): Gates {
  const scoped = () => store.db.selectFrom("gates").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  const stored = async (id: string) => {
    const row = await scoped().where("id", "=", id).executeTakeFirst();
    return row === undefined ? null : readGate(row);
  };
  const checkVersion = async ({ model, version }: GateSubject) => {
    const row = await store.db
      .selectFrom("model_versions")
      .select("version")
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .where("version", "=", version)
      .executeTakeFirst();
    if (row === undefined) throw registryErrors.REGISTRY_VERSION_UNKNOWN(`There is no version ${version} of ${model}`);
  };
  const records: Gates = {
    async openGate(subject, judge) {
      await checkVersion(subject);
      return (await stored(gateId(subject))) ?? records.saveGate({ ...subject, verdicts: await judge() });
    },
    async saveGate({ verdicts, ...subject }) {
      await checkVersion(subject);
      const id = gateId(subject);
      await store.db
        .insertInto("gates")
        .values({
          workspace,
          project,
          id,
          model: subject.model,
          version: subject.version,
          champion_version: subject.championVersion,
          opened_at: clock.now(),
          passed: gatePassed(verdicts) ? 1 : 0,
          verdicts: JSON.stringify(verdicts),
        })
        .onConflict((conflict) => conflict.columns(["workspace", "project", "id"]).doNothing())
        .execute();
      return records.gate(id);
    },
    async gates(model, version) {
      const of = version === undefined ? scoped() : scoped().where("version", "=", version);
      const rows = await of
        .where("model", "=", model)
        .orderBy("opened_at", "desc")
        .orderBy("version", "desc")
        .orderBy("id")
        .execute();
      return rows.map(readGate);
    },
    async gate(id) {
      const found = await stored(id);
      if (found === null) throw registryErrors.REGISTRY_GATE_UNKNOWN(`There is no gate ${id}`);
      return found;
    },
  };
  return records;
}
