import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { API_PREFIX, PERMISSIONS, type Route, routes } from "../../contract/index.ts";
import { ROLE_PERMISSIONS, ROLES } from "../../core/access/index.ts";
import { BASE, bearer, type GuardedApp, guardedApp } from "../test-support/guarded-app.ts";

let open: GuardedApp | null = null;
const appOf = async (...options: Parameters<typeof guardedApp>) => (open = await guardedApp(...options));
afterEach(async () => {
  await open?.close();
  open = null;
});

const allRoutes = Object.entries(routes).flatMap(([room, calls]) =>
  Object.entries(calls).map(([name, route]): [string, Route] => [`${room}.${name}`, route]),
);
const urlOf = ({ path }: Route) => `${BASE}${path.replace(/:version/g, "1").replace(/:\w+/g, "x")}`;

async function ask(
  app: GuardedApp["app"],
  { method, path }: Pick<Route, "method" | "path">,
  headers: Record<string, string> = {},
) {
  const answer = await app.inject({ method, url: path, headers });
  return { status: answer.statusCode, code: answer.json().code, headers: answer.headers, body: answer.body };
}

describe("no default password", () => {
  it("and no default user or token: a new server knows nobody", async () => {
    const { accounts, app } = await appOf({ access: { host: "127.0.0.1", token: "the-administrators" } });
    expect([await accounts.users.list(), await accounts.tokens.list()]).toEqual([[], []]);
    const guesses = ["admin", "password", "orrery", "mlflow", "token", "", "password1234", "null", "undefined"];
    for (const guess of guesses) {
      for (const headers of [bearer(guess), { authorization: `Basic ${Buffer.from(`admin:${guess}`).toString("base64")}` }])
        expect(await ask(app, { method: "GET", path: `${BASE}/users` }, headers)).toMatchObject({ status: 401 });
    }
  });

  it.each(["0.0.0.0", "::", "192.0.2.7", "orrery.example", "127.evil.example", "localhost.evil.example"])(
    "so that nothing but this machine is listened to without a token: %s",
    async (host) => {
      await expect(appOf({ access: { host, token: null } })).rejects.toMatchObject({ code: "SERVER_TOKEN_MISSING" });
    },
  );

  it("nor behind a proxy, where everybody looks like this machine", async () => {
    const proxied = [{ publicUrl: "https://models.example" }, { trustedProxies: ["127.0.0.1"] }];
    for (const more of proxied)
      await expect(appOf({ access: { host: "127.0.0.1", token: null, ...more } })).rejects.toMatchObject({
        code: "SERVER_TOKEN_MISSING",
      });
  });
});

describe("unprotected routes", () => {
  it("are none: a route that names no permission does not start", async () => {
    const plugin = async (app: GuardedApp["app"]) => {
      app.get("/forgotten", async () => "secrets");
    };
    await expect(appOf({ protocols: [{ plugin, prefix: "/multipart" }] })).rejects.toThrow(
      "GET /multipart/forgotten names no permission",
    );
  });

  it("are none of the contract: without a token every one answers 401 and how to come in", async () => {
    const { app } = await appOf({ access: { host: "127.0.0.1", token: "the-administrators" } });
    expect(allRoutes.length).toBeGreaterThan(60);
    for (const [id, route] of allRoutes) {
      const answer = await ask(app, { method: route.method, path: urlOf(route) });
      expect([id, answer.status, answer.code]).toEqual([id, 401, "SERVER_TOKEN_REQUIRED"]);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="orrery"');
    }
    for (const path of ["/metrics", "/openapi.json"]) expect((await ask(app, { method: "GET", path })).status).toBe(401);
  });

  it("are of protocols neither, in any way of writing their path", async () => {
    const plugin = async (app: GuardedApp["app"]) => {
      app.put("/mpu/*", { config: { permission: "track" } }, async () => "stored");
    };
    const { app } = await appOf({
      access: { host: "127.0.0.1", token: "the-administrators" },
      protocols: [{ plugin }, { plugin, prefix: "/projects/:project" }],
    });
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const statusOf = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        // fetch would tidy the path up.
        request({ host: "127.0.0.1", port, method: "PUT", path }, ({ statusCode }) => resolve(statusCode))
          .on("error", reject)
          .end();
      });
    for (const path of [
      "/mpu/create/x",
      "/mpu/%2e%2e/x",
      "/mpu/../x",
      "/mpu//x",
      "/%6dpu/x",
      "/projects/late/mpu/x",
      "/projects/..%2f/mpu/x",
    ])
      expect([path, await statusOf(path)]).toEqual([path, 401]);
    // What is no route at all is missing, not open.
    for (const path of ["/MPU/x", "//mpu/x", "/./mpu/x", "/x/../mpu/x"])
      expect([path, await statusOf(path)]).toEqual([path, 404]);
    const stored = await app.inject({ method: "PUT", url: "/projects/late/mpu/x", headers: bearer("the-administrators") });
    expect(stored.body).toBe("stored");
  });

  it("are those that say nothing: liveness, the server's name, the page itself", async () => {
    const { app } = await appOf({ access: { host: "127.0.0.1", token: "the-administrators" } });
    expect((await app.inject("/healthz")).json()).toEqual({ ok: true });
    expect((await app.inject(`${API_PREFIX}/context`)).json()).toEqual({
      workspace: "default",
      project: "late",
      version: "0",
      tokenRequired: true,
      projectFile: true,
    });
  });
});

describe("roles", () => {
  it("decide about every route of the contract, in the project they were granted in", async () => {
    const { app, tokenOf } = await appOf();
    for (const role of ROLES) {
      const token = await tokenOf(role, "late");
      for (const [id, route] of allRoutes) {
        const { status, code } = await ask(app, { method: route.method, path: urlOf(route) }, bearer(token));
        const allowed = ROLE_PERMISSIONS[role].includes(route.permission);
        if (allowed && looksCloser(id)) continue;
        expect([role, id, code === "SERVER_PERMISSION_MISSING"]).toEqual([role, id, !allowed]);
        if (!allowed) expect([role, id, status]).toEqual([role, id, 403]);
      }
    }
  });
  /** Their handlers look closer: whose token, which project. */
  const looksCloser = (id: string) => id.startsWith("users.") || id.startsWith("tokens.");

  it("of one project are none in another", async () => {
    const echo = async (app: GuardedApp["app"]) => {
      for (const permission of PERMISSIONS) app.post(`/${permission}`, { config: { permission } }, async () => permission);
    };
    const { app, tokenOf } = await appOf({ protocols: [{ plugin: echo, prefix: "/projects/:project" }, { plugin: echo }] });
    const token = await tokenOf("operator", "other");
    const statusOf = async (url: string) => (await app.inject({ method: "POST", url, headers: bearer(token) })).statusCode;
    expect([await statusOf("/projects/other/promote"), await statusOf("/projects/other/track")]).toEqual([200, 403]);
    // Without a project in the path it is the server's own.
    for (const url of ["/projects/late/read", "/read", "/projects/*/read", "/projects/%2a/read", "/projects/other%00/read"])
      expect([url, await statusOf(url)]).toEqual([url, 403]);
  });

  it("of a project's administrator end with the project", async () => {
    const { app, tokenOf, accounts } = await appOf();
    const token = await tokenOf("admin", "late");
    const other = await tokenOf("viewer");
    const post = async (path: string, payload: object = {}) => {
      const answer = await app.inject({ method: "POST", url: `${BASE}${path}`, headers: bearer(token), payload });
      return answer.statusCode;
    };
    expect(await post("/users", { name: "eve", role: "admin" })).toBe(403);
    expect(await post("/users/admin-1/grant", { role: "admin" })).toBe(403);
    expect(await post("/users/admin-1/grant", { role: "admin", project: "other" })).toBe(403);
    expect(await post("/users/viewer-2/disable")).toBe(403);
    expect(await post("/tokens", { user: "viewer-2" })).toBe(403);
    const [theirs] = await accounts.tokens.list("viewer-2");
    expect(await post(`/tokens/${theirs?.id}/revoke`)).toBe(403);
    expect(await accounts.identify(other)).not.toBeNull();
    expect(await post("/users/viewer-2/grant", { role: "operator", project: "late" })).toBe(200);
    expect(await post("/tokens", { label: "mine" })).toBe(200);
  });

  it("do not hinder people from looking after tokens of their own", async () => {
    const { app, tokenOf } = await appOf();
    const headers = bearer(await tokenOf("viewer"));
    await tokenOf("admin");
    const made = await app.inject({ method: "POST", url: `${BASE}/tokens`, headers, payload: { label: "ci" } });
    const { id, secret } = made.json();
    const { items } = (await app.inject({ url: `${BASE}/tokens`, headers })).json();
    expect(items.map(({ user, label }: { user: string; label: string }) => [user, label])).toEqual([
      ["viewer-1", "ci"],
      ["viewer-1", ""],
    ]);
    expect(JSON.stringify(items)).not.toContain(secret);
    expect((await app.inject({ url: `${BASE}/tokens?user=admin-2`, headers })).statusCode).toBe(403);
    await app.inject({ method: "POST", url: `${BASE}/tokens/${id}/revoke`, headers });
    expect((await app.inject({ url: `${BASE}/tokens`, headers: bearer(secret) })).statusCode).toBe(401);
  });
});

describe("tokens over HTTP", () => {
  const path = `${BASE}/runs/x`;

  it("are the password of Basic too, as MLFLOW_TRACKING_USERNAME and _PASSWORD send it", async () => {
    const { app, tokenOf } = await appOf();
    const token = await tokenOf("viewer");
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
    for (const headers of [bearer(token), basic(`anna:${token}`), basic(`:${token}`), { authorization: `bearer   ${token}` }])
      expect((await ask(app, { method: "GET", path }, headers)).code).toBe("TEST_REACHED");
    for (const headers of [
      basic(token),
      basic(`${token}:`),
      basic(`anna:x${token}`),
      { authorization: token },
      { authorization: "Basic !" },
    ])
      expect((await ask(app, { method: "GET", path }, headers)).status).toBe(401);
  });

  it("are needed as soon as there is a user, at once", async () => {
    const { app, tokenOf } = await appOf();
    expect((await ask(app, { method: "GET", path })).code).toBe("TEST_REACHED");
    await tokenOf("admin");
    expect((await ask(app, { method: "GET", path })).status).toBe(401);
    expect((await app.inject(`${API_PREFIX}/context`)).json().tokenRequired).toBe(true);
  });

  it("of the administrator and of this machine are two, and both hold", async () => {
    const { app } = await appOf({ access: { host: "0.0.0.0", token: "from-outside", machineToken: "from-here" } });
    for (const token of ["from-outside", "from-here"]) {
      const payload = { name: token, role: "viewer" };
      expect((await app.inject({ method: "POST", url: `${BASE}/users`, headers: bearer(token), payload })).statusCode).toBe(200);
    }
    const { items } = (await app.inject({ url: `${BASE}/audit`, headers: bearer("from-here") })).json();
    expect(items.map(({ actor, target }: { actor: string; target: string }) => [actor, target])).toEqual([
      ["token:machine", "from-here"],
      ["token:token", "from-outside"],
    ]);
  });

  it("that are wrong are counted by address, and then refused unseen for a while; those that are known go on", async () => {
    const { app, tokenOf } = await appOf();
    const token = await tokenOf("viewer");
    const status = async (secret: string, remoteAddress: string) => {
      const answer = await app.inject({ url: path, headers: bearer(secret), remoteAddress });
      return [answer.statusCode, answer.headers["retry-after"]];
    };
    expect((await status(token, "192.0.2.1"))[0]).toBe(409);
    for (let i = 0; i < 30; i += 1) expect((await status(`orrery_${i}`, "192.0.2.1"))[0]).toBe(401);
    expect(await status("orrery_31", "192.0.2.1")).toEqual([429, expect.stringMatching(/^\d+$/)]);
    expect((await status(token, "192.0.2.1"))[0]).toBe(409);
    expect((await status("orrery_1", "192.0.2.2"))[0]).toBe(401);
  });

  it("never show up in answers or in the trail", async () => {
    const { app, tokenOf, store } = await appOf();
    const secret = await tokenOf("admin");
    const made = await app.inject({ method: "POST", url: `${BASE}/tokens`, headers: bearer(secret), payload: { label: "x" } });
    const answers = [
      await app.inject({ url: `${BASE}/audit`, headers: bearer(secret) }),
      await app.inject({ url: `${BASE}/tokens`, headers: bearer(secret) }),
      await app.inject({ url: `${BASE}/nothing`, headers: bearer(secret) }),
      await app.inject({ url: `${BASE}/users`, headers: bearer(`${secret}x`) }),
    ].map(({ body }) => body);
    const rows = JSON.stringify(await store.db.selectFrom("audit").selectAll().execute());
    expect(rows).toContain("tokens.create");
    for (const token of [secret, made.json().secret]) for (const text of [...answers, rows]) expect(text).not.toContain(token);
  });
});
