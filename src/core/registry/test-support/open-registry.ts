import { afterAll, beforeAll, beforeEach } from "vitest";
import type { OpenDatabase, TestDatabase } from "../../../../test/fixtures/databases.ts";
import { type MetadataStore, VirtualClock } from "../../ports/index.ts";
import type { Actor, Scope } from "../../scope.ts";
import { parseTimestamp } from "../../time.ts";
import { createRegistry, type Registry } from "../index.ts";

export const start = parseTimestamp("2013-11-01T00:00:00Z");
export const anna: Actor = { kind: "user", name: "anna" };
export const ben: Actor = { kind: "user", name: "ben" };

export interface RegistryUnderTest {
  readonly registry: Registry;
  readonly store: MetadataStore;
  readonly clock: VirtualClock;
  readonly scope: Scope;
  /** Opens another store on the same database, as another process would; null where the engine allows one only. */
  readonly another: TestDatabase["another"];
}

/** A registry of a project of its own for every test, on one database for all of them; read the fields inside a test only. */
export function registryForTests(open: OpenDatabase): RegistryUnderTest {
  let database: TestDatabase | null = null;
  let opened: RegistryUnderTest | null = null;
  let projects = 0;
  const now = () => {
    if (opened === null) throw new Error("There is no registry outside of a test");
    return opened;
  };
  beforeAll(async () => {
    database = await open();
  });
  beforeEach(() => {
    if (database === null) throw new Error("The database was not opened");
    projects += 1;
    const clock = new VirtualClock(start);
    const scope = { workspace: "default", project: `flights-${projects}` };
    const { store, another } = database;
    opened = { store, another, clock, scope, registry: createRegistry({ store, clock, scope }) };
  });
  afterAll(async () => {
    await database?.drop();
  });
  return {
    get registry() {
      return now().registry;
    },
    get store() {
      return now().store;
    },
    get clock() {
      return now().clock;
    },
    get scope() {
      return now().scope;
    },
    get another() {
      return now().another;
    },
  };
}
