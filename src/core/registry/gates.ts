import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock, Database, GateTable, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { sortableId } from "../tracking/index.ts";
import { type Approval, readApprovals, withApprovals } from "./approvals.ts";
import { registryErrors } from "./errors.ts";
import { type GateState, type GateVerdict, gateState, measuredPassed } from "./evaluate-gates.ts";
import { isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";

export interface Gate {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  /** Version it was compared with; null before the first champion. */
  readonly championVersion: number | null;
  readonly openedAt: Micros;
  /** "waiting": everything measured passed, and people have not yet approved. */
  readonly state: GateState;
  /** The state is "passed". */
  readonly passed: boolean;
  /** What people said since is in the verdicts that wait for them. */
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
  gates(model: string, version?: number): Promise<readonly Gate[]>;
  /** @throws REGISTRY_GATE_UNKNOWN */
  gate(id: string): Promise<Gate>;
}

const hash = (subject: readonly unknown[]) => createHash("sha256").update(JSON.stringify(subject)).digest("hex").slice(0, 24);

/** A gate's id says its rows but not its model, which can be renamed; before it could, ids were made of all three. */
const rowsPrefix = (testSet: string) => `gate-${hash([testSet])}-`;
const isOfRows = (id: string, { model, version, testSet }: GateSubject) =>
  id.startsWith(rowsPrefix(testSet)) || id === `gate-${hash([model, version, testSet])}`;

export function readGate(row: GateTable, approvals: readonly Approval[]): Gate {
  const ofVersion = approvals.filter(({ version }) => version === row.version);
  // Written by saveGate below and nowhere else.
  const verdicts = (JSON.parse(row.verdicts) as GateVerdict[]).map((verdict) => withApprovals(verdict, ofVersion));
  const state = gateState(verdicts);
  return {
    id: row.id,
    model: row.model,
    version: row.version,
    championVersion: row.champion_version,
    openedAt: row.opened_at,
    state,
    passed: state === "passed",
    verdicts,
  };
}

export function gateRecords(store: MetadataStore, clock: Clock, scope: Scope, rows: RegistryRows): Gates {
  const { workspace, project } = scope;
  const scoped = (db: Kysely<Database> = store.db) =>
    db.selectFrom("gates").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  const readRow = async (row: GateTable, db: Kysely<Database> = store.db) =>
    readGate(row, await readApprovals(db, scope, row.model, row.version));
  const stored = async (subject: GateSubject, db?: Kysely<Database>) => {
    const { model, version } = subject;
    const ofVersion = await scoped(db).where("model", "=", model).where("version", "=", version).execute();
    return ofVersion.find(({ id }) => isOfRows(id, subject));
  };
  const records: Gates = {
    async openGate(subject, judge) {
      await rows.activeVersion(subject.model, subject.version);
      const found = await stored(subject);
      return found === undefined ? records.saveGate({ ...subject, verdicts: await judge() }) : readRow(found);
    },
    async saveGate({ verdicts, ...subject }) {
      return store.transaction(async (db) => {
        await rows.activeVersion(subject.model, subject.version, db);
        const found = await stored(subject, db);
        if (found !== undefined) return readRow(found, db);
        const row: GateTable = {
          workspace,
          project,
          id: sortableId(rowsPrefix(subject.testSet).slice(0, -1), clock),
          model: subject.model,
          version: subject.version,
          champion_version: subject.championVersion,
          opened_at: clock.now(),
          passed: measuredPassed(verdicts) ? 1 : 0,
          verdicts: JSON.stringify(verdicts),
        };
        await db.insertInto("gates").values(row).execute();
        return readRow(row, db);
      });
    },
    async gates(model, version) {
      if (!isStorable(model)) return [];
      const of = version === undefined ? scoped() : scoped().where("version", "=", version);
      const found = await of
        .where("model", "=", model)
        .orderBy("opened_at", "desc")
        .orderBy("version", "desc")
        .orderBy("id")
        .execute();
      const approvals = await readApprovals(store.db, scope, model, version);
      return found.map((row) => readGate(row, approvals));
    },
    async gate(id) {
      const row = isStorable(id) ? await scoped().where("id", "=", id).executeTakeFirst() : undefined;
      if (row === undefined) throw registryErrors.REGISTRY_GATE_UNKNOWN(`There is no gate ${id}`);
      return readRow(row);
    },
  };
  return records;
}
