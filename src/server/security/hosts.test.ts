import { hostname } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { BASE, bearer, type GuardedApp, guardedApp } from "../test-support/guarded-app.ts";

let open: GuardedApp | null = null;
const appOf = async (...options: Parameters<typeof guardedApp>) => (open = await guardedApp(...options));
afterEach(async () => {
  await open?.close();
  open = null;
});

async function codeOf({ app }: GuardedApp, headers: Record<string, string>, method: "GET" | "POST" | "OPTIONS" = "GET") {
  const url = method === "POST" ? `${BASE}/features/materialize` : `${BASE}/runs/x`;
  const answer = await app.inject({ method, url, headers, ...(method === "POST" ? { payload: {} } : {}) });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
  return answer.json().code;
}

describe("DNS rebinding", () => {
  it.each([
    "evil.example",
    "evil.example:4100",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.evil.example",
    "192.0.2.7",
    "[::ffff:192.0.2.7]",
  ])("does not reach a server on loopback by the name %s", async (host) => {
    expect(await codeOf(await appOf(), { host })).toBe("SERVER_HOST_REFUSED");
  });

  it.each([
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost:x",
    "localhost:4100:4100",
    "local host",
    "[::1",
    "::1",
  ])("does not either by what is no host: %j", async (host) => {
    expect(await codeOf(await appOf(), { host })).toBe("SERVER_HOST_REFUSED");
  });

  it("is told from calls by this machine's names", async () => {
    const guarded = await appOf();
    for (const host of ["localhost", "LOCALHOST:4100", "127.0.0.1", "127.0.0.1:65535", "127.8.9.10", "[::1]", "[::1]:4100"])
      expect([host, await codeOf(guarded, { host })]).toEqual([host, "TEST_REACHED"]);
  });

  it("does not reach a server on every address either: by address, its machine's name and listed names only", async () => {
    const policy = {
      host: "0.0.0.0",
      token: "t",
      allowedHosts: ["orrery", "Models.Internal:8443"],
      publicUrl: "https://models.example",
    };
    const guarded = await appOf({ access: policy });
    const code = (host: string) => codeOf(guarded, { host, ...bearer("t") });
    const own = [
      hostname(),
      "192.0.2.7",
      "10.0.0.1:4100",
      "[2001:db8::1]:4100",
      "orrery:4100",
      "models.internal:8443",
      "models.example",
    ];
    for (const host of own) expect([host, await code(host)]).toEqual([host, "TEST_REACHED"]);
    for (const host of ["evil.example", "models.internal:1", "models.example.evil.example", "xorrery"])
      expect([host, await code(host)]).toEqual([host, "SERVER_HOST_REFUSED"]);
  });

  it("learns nothing from the routes that need no token", async () => {
    const { app } = await appOf();
    for (const url of ["/healthz", "/api/v1/context", "/", "/nothing"]) {
      const answer = await app.inject({ url, headers: { host: "evil.example" } });
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 403, "SERVER_HOST_REFUSED"]);
    }
  });

  it("cannot be hidden by a forwarded host, unless a trusted proxy forwards it", async () => {
    const forwarded = { host: "evil.example", "x-forwarded-host": "localhost" };
    expect(await codeOf(await appOf(), forwarded)).toBe("SERVER_HOST_REFUSED");
    await open?.close();
    const policy = { host: "127.0.0.1", token: "t", trustedProxies: ["127.0.0.1"], publicUrl: "https://models.example" };
    const guarded = await appOf({ access: policy });
    const headers = { host: "upstream", "x-forwarded-host": "models.example", ...bearer("t") };
    expect(await codeOf(guarded, headers)).toBe("TEST_REACHED");
    expect(await codeOf(guarded, { ...headers, "x-forwarded-host": "evil.example" })).toBe("SERVER_HOST_REFUSED");
    const answer = await guarded.app.inject({ url: `${BASE}/runs/x`, headers, remoteAddress: "192.0.2.9" });
    expect(answer.json().code).toBe("SERVER_HOST_REFUSED");
  });
});

describe("cross-origin requests", () => {
  it.each([
    "https://evil.example",
    "null",
    "http://localhost:3000",
    "http://127.0.0.1:4100",
    "file://",
    "http://localhost:4100.evil.example",
    "chrome-extension://x",
    "localhost:4100",
  ])("from %s are refused, whatever they ask", async (origin) => {
    const guarded = await appOf();
    for (const method of ["GET", "POST", "OPTIONS"] as const)
      expect(await codeOf(guarded, { host: "localhost:4100", origin }, method)).toBe("SERVER_ORIGIN_REFUSED");
  });

  it("get no preflight, and from our own page there is none", async () => {
    const { app } = await appOf();
    const asked = {
      host: "localhost:4100",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    for (const [origin, status] of [
      ["https://evil.example", 403],
      ["http://localhost:4100", 404],
    ] as const) {
      const answer = await app.inject({ method: "OPTIONS", url: `${BASE}/runs`, headers: { ...asked, origin } });
      expect([answer.statusCode, Object.keys(answer.headers).some((name) => name.startsWith("access-control"))]).toEqual([
        status,
        false,
      ]);
    }
  });

  it("are told from those of our own page, on loopback and behind a proxy that ends TLS", async () => {
    expect(await codeOf(await appOf(), { host: "localhost:4100", origin: "http://localhost:4100" }, "POST")).toBe("TEST_REACHED");
    await open?.close();
    const guarded = await appOf({ access: { host: "127.0.0.1", token: "t", publicUrl: "https://models.example" } });
    for (const host of ["models.example", "127.0.0.1:4100"])
      expect(await codeOf(guarded, { host, origin: "https://models.example", ...bearer("t") }, "POST")).toBe("TEST_REACHED");
  });

  it("of images, scripts and frames are refused too; a link may be followed", async () => {
    const guarded = await appOf();
    const from = (site: string, mode: string) => codeOf(guarded, { "sec-fetch-site": site, "sec-fetch-mode": mode });
    for (const site of ["cross-site", "same-site"]) expect(await from(site, "no-cors")).toBe("SERVER_ORIGIN_REFUSED");
    for (const [site, mode] of [
      ["same-origin", "cors"],
      ["none", "navigate"],
      ["cross-site", "navigate"],
    ] as const)
      expect(await from(site, mode)).toBe("TEST_REACHED");
  });

  it("cannot change anything in a form's content types", async () => {
    const { app } = await appOf();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const answer = await app.inject({
        method: "POST",
        url: `${BASE}/models`,
        headers: { "content-type": type },
        payload: '{"name":"x"}',
      });
      expect([type, answer.statusCode]).toEqual([type, 415]);
    }
  });

  it("find answers that no page of another site may read or frame", async () => {
    const { app } = await appOf();
    for (const url of ["/", "/api/v1/context", `${BASE}/runs/x`]) {
      expect((await app.inject(url)).headers).toMatchObject({
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
      });
    }
  });
});
