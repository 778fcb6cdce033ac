import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Actor } from "../scope.ts";
import type { Micros } from "../time.ts";
import { recordAudit } from "./audit.ts";
import { accessErrors } from "./errors.ts";
import { ALL_PROJECTS } from "./identity.ts";
import { isRole, type Role } from "./roles.ts";

/** A person, or a program that acts for nobody in particular. */
export interface User {
  readonly name: string;
  readonly createdAt: Micros;
  /** Since when none of the user's tokens is accepted; null while they are. */
  readonly disabledAt: Micros | null;
  /** Role by project; "*" for all of the workspace. */
  readonly roles: Readonly<Record<string, Role>>;
}

export interface Users {
  /** By name. */
  list(): Promise<readonly User[]>;
  /** @throws ACCESS_NAME_INVALID, ACCESS_USER_EXISTS, ACCESS_ROLE_UNKNOWN */
  add(user: { name: string; role: string; project?: string; by: Actor }): Promise<User>;
  /** Gives a role, in place of the one that the user had there. @throws ACCESS_USER_UNKNOWN, ACCESS_ROLE_UNKNOWN, ACCESS_NAME_INVALID */
  grant(grant: { name: string; role: string; project?: string; by: Actor }): Promise<User>;
  /** @throws ACCESS_USER_UNKNOWN, ACCESS_GRANT_UNKNOWN */
  revoke(grant: { name: string; project?: string; by: Actor }): Promise<User>;
  /** From now on none of the user's tokens is accepted. What the user did stays in history. @throws ACCESS_USER_UNKNOWN */
  disable(user: { name: string; by: Actor }): Promise<User>;
  /** @throws ACCESS_USER_UNKNOWN */
  enable(user: { name: string; by: Actor }): Promise<User>;
}

export interface AccessRooms {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly workspace: string;
  /** Called when something that decides about requests has changed. */
  readonly changed: () => void;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,99}$/u;
/** Letters that look alike are one letter: two users must not be mistaken for each other. */
const isNormal = (name: string) => name === name.normalize("NFKC");

function checkName(name: string, what: string): void {
  if (!NAME.test(name) || !isNormal(name))
    throw accessErrors.ACCESS_NAME_INVALID(`${JSON.stringify(name.slice(0, 120))} cannot name a ${what}`);
}

function checkRole(role: string): Role {
  if (isRole(role)) return role;
  throw accessErrors.ACCESS_ROLE_UNKNOWN(`There is no role ${JSON.stringify(role.slice(0, 120))}`);
}

export function createUsers({ store, clock, workspace, changed }: AccessRooms): Users {
  async function read(db: Kysely<Database>, name?: string): Promise<readonly User[]> {
    let users = db.selectFrom("users").selectAll().where("workspace", "=", workspace).orderBy("name");
    let grants = db.selectFrom("role_grants").selectAll().where("workspace", "=", workspace).orderBy("project");
    if (name !== undefined) {
      users = users.where("name", "=", name);
      grants = grants.where("user_name", "=", name);
    }
    const granted = Map.groupBy(await grants.execute(), (grant) => grant.user_name);
    return (await users.execute()).map((user) => ({
      name: user.name,
      createdAt: user.created_at,
      disabledAt: user.disabled_at,
      roles: Object.fromEntries((granted.get(user.name) ?? []).map(({ project, role }) => [project, checkRole(role)])),
    }));
  }

  async function one(db: Kysely<Database>, name: string): Promise<User> {
    const [user] = await read(db, name);
    if (user === undefined) throw accessErrors.ACCESS_USER_UNKNOWN(`There is no user ${JSON.stringify(name.slice(0, 120))}`);
    return user;
  }

  /** Makes a change and writes it down, in one transaction; says how the user is afterwards. */
  async function change(
    {
      name,
      by,
      action,
      project = ALL_PROJECTS,
      ...details
    }: { name: string; by: Actor; action: string; project?: string; role?: Role },
    work: (db: Kysely<Database>) => Promise<unknown>,
  ): Promise<User> {
    const user = await store.transaction(async (db) => {
      await work(db);
      await recordAudit(db, { workspace, project }, clock, { actor: by, action, target: name, details });
      return one(db, name);
    });
    changed();
    return user;
  }

  const write = async (db: Kysely<Database>, name: string, role: Role, project: string, by: Actor) => {
    await db
      .insertInto("role_grants")
      .values({ workspace, project, user_name: name, role, granted_at: clock.now(), granted_by: by.name })
      .onConflict((conflict) =>
        conflict
          .columns(["workspace", "project", "user_name"])
          .doUpdateSet({ role, granted_at: clock.now(), granted_by: by.name }),
      )
      .execute();
  };

  const setDisabled = (name: string, by: Actor, action: string, disabledAt: Micros | null) =>
    change({ name, by, action }, async (db) => {
      await one(db, name);
      await db
        .updateTable("users")
        .set({ disabled_at: disabledAt })
        .where("workspace", "=", workspace)
        .where("name", "=", name)
        .execute();
    });

  return {
    list: () => read(store.db),
    async add({ name, role: asked, project = ALL_PROJECTS, by }) {
      checkName(name, "user");
      if (project !== ALL_PROJECTS) checkName(project, "project");
      const role = checkRole(asked);
      return change({ name, by, action: "users.add", project, role }, async (db) => {
        if ((await read(db, name)).length > 0) throw accessErrors.ACCESS_USER_EXISTS(`There is a user ${name} already`);
        await db.insertInto("users").values({ workspace, name, created_at: clock.now(), disabled_at: null }).execute();
        await write(db, name, role, project, by);
      });
    },
    async grant({ name, role: asked, project = ALL_PROJECTS, by }) {
      if (project !== ALL_PROJECTS) checkName(project, "project");
      const role = checkRole(asked);
      return change({ name, by, action: "users.grant", project, role }, async (db) => {
        await one(db, name);
        await write(db, name, role, project, by);
      });
    },
    revoke: ({ name, project = ALL_PROJECTS, by }) =>
      change({ name, by, action: "users.revoke", project }, async (db) => {
        await one(db, name);
        const { numDeletedRows } = await db
          .deleteFrom("role_grants")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("user_name", "=", name)
          .executeTakeFirst();
        if (Number(numDeletedRows) === 0)
          throw accessErrors.ACCESS_GRANT_UNKNOWN(`${name} has no role of its own in ${JSON.stringify(project.slice(0, 120))}`);
      }),
    disable: ({ name, by }) => setDisabled(name, by, "users.disable", clock.now()),
    enable: ({ name, by }) => setDisabled(name, by, "users.enable", null),
  };
}
