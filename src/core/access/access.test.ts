import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onEachDatabase, type TestDatabase } from "../../../test/fixtures/databases.ts";
import { type MetadataStore, VirtualClock } from "../ports/index.ts";
import type { Actor } from "../scope.ts";
import { DAY, MINUTE, SECOND } from "../time.ts";
import { type Access, createAccess, hashOf, type Identity, TOKEN_PREFIX } from "./index.ts";

const START = Date.UTC(2026, 0, 1) * 1_000;
const root: Actor = { kind: "token", name: "machine" };

await onEachDatabase((open) => {
  let database: TestDatabase;
  let clock: VirtualClock;
  let access: Access;
  const on = (store: MetadataStore, workspace = "default") => createAccess({ store, clock, workspace });
  beforeEach(async () => {
    clock = new VirtualClock(START);
    database = await open(clock);
    access = on(database.store);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await access.close();
    await database.drop();
  });
  const tokenOf = async (user: string, more: { expiresAt?: number } = {}) =>
    access.tokens.create({ user, label: "laptop", by: root, ...more });
  const rolesOf = (identity: Identity | null) => (identity === null ? null : Object.fromEntries(identity.grants));

  describe("users", () => {
    it("are added with a role everywhere or in one project, and listed by name", async () => {
      await access.users.add({ name: "zoe", role: "viewer", project: "late", by: root });
      const anna = await access.users.add({ name: "anna@example.org", role: "admin", by: root });
      expect(anna).toEqual({ name: "anna@example.org", createdAt: START, disabledAt: null, roles: { "*": "admin" } });
      expect((await access.users.list()).map(({ name, roles }) => [name, roles])).toEqual([
        ["anna@example.org", { "*": "admin" }],
        ["zoe", { late: "viewer" }],
      ]);
    });

    it("have one role a project: another one takes its place, and it can be taken", async () => {
      await access.users.add({ name: "anna", role: "viewer", by: root });
      await access.users.grant({ name: "anna", role: "operator", project: "late", by: root });
      await access.users.grant({ name: "anna", role: "data-scientist", project: "late", by: root });
      expect((await access.users.list())[0]?.roles).toEqual({ "*": "viewer", late: "data-scientist" });
      expect((await access.users.revoke({ name: "anna", by: root })).roles).toEqual({ late: "data-scientist" });
      await expect(access.users.revoke({ name: "anna", by: root })).rejects.toMatchObject({ code: "ACCESS_GRANT_UNKNOWN" });
    });

    it("are not added under a name or with a role that could mean something else", async () => {
      const wrong = [
        ["no name", { name: "", role: "viewer" }, "ACCESS_NAME_INVALID"],
        ["a name that is a path", { name: "../anna", role: "viewer" }, "ACCESS_NAME_INVALID"],
        ["a name with a line break", { name: "anna\nadmin", role: "viewer" }, "ACCESS_NAME_INVALID"],
        ["a name that only looks like another", { name: "ａnna", role: "viewer" }, "ACCESS_NAME_INVALID"],
        ["a name of 101 letters", { name: "a".repeat(101), role: "viewer" }, "ACCESS_NAME_INVALID"],
        ["a role there is not", { name: "anna", role: "root" }, "ACCESS_ROLE_UNKNOWN"],
        ["a role of every object", { name: "anna", role: "constructor" }, "ACCESS_ROLE_UNKNOWN"],
        ["a project that is a path", { name: "anna", role: "viewer", project: "../late" }, "ACCESS_NAME_INVALID"],
      ] as const;
      for (const [why, user, code] of wrong)
        await expect(access.users.add({ ...user, by: root }), why).rejects.toMatchObject({ code });
      expect(await access.users.list()).toEqual([]);
      expect(await access.hasUsers()).toBe(false);
    });

    it("are added once, and changed only where there are", async () => {
      await access.users.add({ name: "anna", role: "viewer", by: root });
      await expect(access.users.add({ name: "anna", role: "admin", by: root })).rejects.toMatchObject({
        code: "ACCESS_USER_EXISTS",
      });
      for (const change of [
        access.users.grant({ name: "ben", role: "admin", by: root }),
        access.users.disable({ name: "ben", by: root }),
        access.tokens.create({ user: "ben", by: root }),
      ])
        await expect(change).rejects.toMatchObject({ code: "ACCESS_USER_UNKNOWN" });
      expect((await access.users.list()).map(({ name, roles }) => [name, roles])).toEqual([["anna", { "*": "viewer" }]]);
    });

    it("of another workspace are others", async () => {
      await access.users.add({ name: "anna", role: "admin", by: root });
      const other = on(database.store, "other");
      const { secret } = await tokenOf("anna");
      expect([await other.hasUsers(), await other.users.list(), await other.identify(secret)]).toEqual([false, [], null]);
      expect(rolesOf(await access.identify(secret))).toEqual({ "*": "admin" });
    });
  });

  describe("tokens", () => {
    beforeEach(async () => {
      await access.users.add({ name: "anna", role: "viewer", by: root });
    });

    it("name their user, hold 256 random bits, and are kept as a hash only", async () => {
      const { secret, ...token } = await tokenOf("anna");
      expect(secret).toMatch(new RegExp(`^${TOKEN_PREFIX}[\\w-]{43}$`));
      expect(new Set([secret, (await tokenOf("anna")).secret]).size).toBe(2);
      expect(await access.identify(secret)).toMatchObject({ actor: { kind: "user", name: "anna" }, tokenId: token.id });
      expect(await access.tokens.find(token.id)).toEqual(token);
      const [rows, trail] = [
        await database.store.db.selectFrom("tokens").selectAll().execute(),
        await database.store.db.selectFrom("audit").selectAll().execute(),
      ];
      expect(rows.map(({ hash }) => hash)).toContain(hashOf(secret));
      expect(JSON.stringify([rows, trail])).not.toContain(secret.slice(TOKEN_PREFIX.length));
    });

    it("that are nobody's are not accepted", async () => {
      await tokenOf("anna");
      for (const secret of ["", "orrery_", "orrery_x", "' OR 1=1 --", "\u0000", "x".repeat(100_000)])
        expect(await access.identify(secret), secret.slice(0, 20)).toBeNull();
    });

    it("are not accepted in another case, cut, or longer", async () => {
      const { secret } = await tokenOf("anna");
      for (const wrong of [secret.toUpperCase(), secret.slice(0, -1), `${secret}A`, ` ${secret}`, hashOf(secret)])
        expect(await access.identify(wrong)).toBeNull();
    });

    it("end when they say, also while their owner is known", async () => {
      const { secret } = await tokenOf("anna", { expiresAt: START + 5 * SECOND });
      expect(await access.identify(secret)).not.toBeNull();
      clock.advanceTo(START + 5 * SECOND - 1);
      expect(await access.identify(secret)).not.toBeNull();
      clock.advanceTo(START + 5 * SECOND);
      expect(await access.identify(secret)).toBeNull();
      await expect(tokenOf("anna", { expiresAt: START })).rejects.toMatchObject({ code: "ACCESS_EXPIRY_INVALID" });
      await expect(tokenOf("anna", { expiresAt: Number.NaN })).rejects.toMatchObject({ code: "ACCESS_EXPIRY_INVALID" });
    });

    it("are accepted no more at once when they are revoked, and revoking twice is once", async () => {
      const { secret, id } = await tokenOf("anna");
      expect(await access.identify(secret)).not.toBeNull();
      const { revokedAt } = await access.tokens.revoke({ id, by: root });
      expect(revokedAt).toBe(START);
      expect(await access.identify(secret)).toBeNull();
      clock.advanceTo(START + DAY);
      expect(await access.tokens.revoke({ id, by: root })).toMatchObject({ revokedAt: START });
      await expect(access.tokens.revoke({ id: "token-x", by: root })).rejects.toMatchObject({ code: "ACCESS_TOKEN_UNKNOWN" });
    });

    it("follow their user: roles at once, and none while the user is disabled", async () => {
      const { secret } = await tokenOf("anna");
      expect(rolesOf(await access.identify(secret))).toEqual({ "*": "viewer" });
      await access.users.grant({ name: "anna", role: "admin", by: root });
      expect(rolesOf(await access.identify(secret))).toEqual({ "*": "admin" });
      await access.users.disable({ name: "anna", by: root });
      expect(await access.identify(secret)).toBeNull();
      await expect(tokenOf("anna")).rejects.toMatchObject({ code: "ACCESS_USER_DISABLED" });
      await access.users.enable({ name: "anna", by: root });
      expect(rolesOf(await access.identify(secret))).toEqual({ "*": "admin" });
    });

    it("are answered at once the second time, and not asked for where only the known count", async () => {
      const { secret } = await tokenOf("anna");
      expect(await access.identify(secret, true)).toBeNull();
      expect(access.identify(secret)).toBeInstanceOf(Promise);
      await access.identify(secret);
      expect(access.identify(secret)).toMatchObject({ actor: { name: "anna" } });
      expect(access.identify(secret, true)).toMatchObject({ actor: { name: "anna" } });
    });

    it("are known to have been used, to the minute, without a write a request", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const { secret, id } = await tokenOf("anna");
      const lastUse = async () => (await access.tokens.find(id)).lastUsedAt;
      await access.identify(secret);
      expect(await lastUse()).toBeNull();
      clock.advanceTo(START + SECOND);
      await vi.advanceTimersByTimeAsync(1_000);
      await vi.waitFor(async () => expect(await lastUse()).toBe(START), { interval: 1 });
      clock.advanceTo(START + 20 * SECOND);
      await access.identify(secret);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await lastUse()).toBe(START);
      clock.advanceTo(START + SECOND + MINUTE);
      await vi.advanceTimersByTimeAsync(60_000);
      await vi.waitFor(async () => expect(await lastUse()).toBe(START + 20 * SECOND), { interval: 1 });
      clock.advanceTo(START + 2 * MINUTE);
      await access.identify(secret);
      await access.close();
      expect(await lastUse()).toBe(START + 2 * MINUTE);
    });

    it("are listed newest first, of one user or all", async () => {
      await access.users.add({ name: "ben", role: "viewer", by: root });
      const made = [await tokenOf("anna"), await tokenOf("ben"), await tokenOf("anna")];
      expect((await access.tokens.list()).map(({ id }) => id)).toEqual(made.map(({ id }) => id).reverse());
      expect((await access.tokens.list("ben")).map(({ user }) => user)).toEqual(["ben"]);
    });
  });

  it("has users from the first one on, disabled ones among them", async () => {
    expect(await access.hasUsers()).toBe(false);
    await access.users.add({ name: "anna", role: "admin", by: root });
    expect(await access.hasUsers()).toBe(true);
    await access.users.disable({ name: "anna", by: root });
    expect([await access.hasUsers(), access.hasUsers()]).toEqual([true, true]);
  });

  it("takes in what another process changed within ten seconds", async () => {
    // SQLite's database is one process's: there it is another cache.
    const elsewhere = on((await database.another?.()) ?? database.store);
    expect(await access.hasUsers()).toBe(false);
    await elsewhere.users.add({ name: "anna", role: "viewer", by: root });
    const { secret, id } = await elsewhere.tokens.create({ user: "anna", by: root });
    expect(rolesOf(await access.identify(secret))).toEqual({ "*": "viewer" });
    await elsewhere.tokens.revoke({ id, by: root });
    clock.advanceTo(START + 10 * SECOND);
    expect([await access.hasUsers(), await access.identify(secret)]).toEqual([true, null]);
    await elsewhere.close();
  });

  describe("the trail", () => {
    const scope = { workspace: "default", project: "late" };
    const anna: Actor = { kind: "user", name: "anna" };
    const note = (action: string, project = "late", actor = anna) =>
      access.audit.record({ ...scope, project }, { actor, action, target: "x", details: { n: 1 } });
    const actions = async (query: object = {}, where = scope) =>
      (await access.audit.list(where, { limit: 100, ...query })).items.map(({ action }) => action);

    it("knows who changed users and tokens", async () => {
      await access.users.add({ name: "anna", role: "viewer", by: root });
      const { id } = await access.tokens.create({ user: "anna", label: "laptop", by: anna });
      await access.users.grant({ name: "anna", role: "admin", project: "late", by: root });
      await access.tokens.revoke({ id, by: root });
      await access.users.disable({ name: "anna", by: root });
      const { items } = await access.audit.list({ ...scope, project: "*" }, { limit: 10 });
      expect(items.map(({ actor, action, target, project }) => [actor, action, target, project]).reverse()).toEqual([
        ["token:machine", "users.add", "anna", "*"],
        ["user:anna", "tokens.create", id, "*"],
        ["token:machine", "users.grant", "anna", "late"],
        ["token:machine", "tokens.revoke", id, "*"],
        ["token:machine", "users.disable", "anna", "*"],
      ]);
      expect(items.at(-1)?.details).toEqual({ role: "viewer" });
    });

    it("has nothing of a change that did not come about", async () => {
      await expect(access.users.grant({ name: "anna", role: "viewer", by: root })).rejects.toThrow();
      expect(await actions()).toEqual([]);
    });

    it("is read newest first, by time, actor, action and project, a page at a time", async () => {
      await note("one");
      await note("elsewhere", "other");
      clock.advanceTo(START + SECOND);
      await note("two", "late", { kind: "system", name: "scheduler" });
      await note("everywhere", "*");
      expect(await actions()).toEqual(["everywhere", "two", "one"]);
      expect(await actions({}, { ...scope, project: "*" })).toHaveLength(4);
      expect(await actions({ since: START + 1 })).toEqual(["everywhere", "two"]);
      expect(await actions({ actor: "anna" })).toEqual(["everywhere", "one"]);
      expect(await actions({ actor: "system:scheduler" })).toEqual(["two"]);
      expect(await actions({ action: "one" })).toEqual(["one"]);
      const first = await access.audit.list(scope, { limit: 2 });
      const second = await access.audit.list(scope, { limit: 2, cursor: first.nextCursor ?? "" });
      expect([...first.items, ...second.items].map(({ action }) => action)).toEqual(["everywhere", "two", "one"]);
      expect(second.nextCursor).toBeNull();
    });

    it("refuses a cursor that it did not give", async () => {
      for (const cursor of ["", "x", "1.2", "1.audit-'; DROP TABLE audit; --", "99999999999999999.audit-a"])
        await expect(access.audit.list(scope, { limit: 1, cursor }), cursor).rejects.toMatchObject({
          code: "ACCESS_CURSOR_INVALID",
        });
    });

    it("takes thousands of changes at once and loses none", async () => {
      await Promise.all(Array.from({ length: 2_500 }, (_, i) => note(`n${i}`)));
      expect(new Set(await actions({ limit: 5_000 })).size).toBe(2_500);
    });

    it("says so where a change could not be written, and goes on", async () => {
      const scoped = { ...scope, project: "x".repeat(10) };
      const failing = createAccess({
        store: {
          ...database.store,
          db: database.store.db,
          insertMany: async () => {
            throw new Error("the disk is full");
          },
        } as MetadataStore,
        clock,
        workspace: "default",
      });
      await expect(failing.audit.record(scoped, { actor: anna, action: "a", target: "" })).rejects.toThrow("the disk is full");
      await expect(failing.audit.record(scoped, { actor: anna, action: "b", target: "" })).rejects.toThrow("the disk is full");
    });
  });
});
