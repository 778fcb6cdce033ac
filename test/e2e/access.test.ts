import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, openssl } from "../fixtures/certificate.ts";
import { startTrackingProcess } from "../fixtures/tracking-process.ts";
import { orrery } from "./orrery-process.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-access-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const environment = { ORRERY_TOKEN: "", ORRERY_DATABASE_URL: "", ORRERY_ARTIFACTS_URL: "" };
const at = (state: string) => async (args: readonly string[], token?: string) => {
  const own = token === undefined ? {} : { ORRERY_TOKEN: token };
  const { ORRERY_TOKEN: _, ...rest } = environment;
  return orrery(["-p", folder, "--state", state, ...args], { ...rest, ...own });
};

describe("users and tokens on the command line", { timeout: 120_000 }, () => {
  it("are made on the machine itself, beside a running server, and let in over HTTP; the trail knows who did what", async () => {
    const state = join(folder, "plain");
    const command = at(state);
    const server = await startTrackingProcess(state);
    try {
      const ask = async (token?: string) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        return (await fetch(`${server.url}/api/2.0/mlflow/experiments/search?max_results=1`, { headers })).status;
      };
      expect(await ask()).toBe(200);
      expect(await command(["users", "add", "anna", "--role", "admin"])).toMatchObject({ code: 0 });
      expect(await ask()).toBe(401);
      const made = await command(["--json", "tokens", "create", "--user", "anna", "--label", "laptop", "--expires", "1d"]);
      const { secret, id } = JSON.parse(made.out);
      expect([await ask(secret), await ask(`${secret}x`)]).toEqual([200, 401]);
      expect(await command(["users", "add", "ben", "--role", "viewer"], secret)).toMatchObject({ code: 0 });
      const bens = JSON.parse((await command(["--json", "tokens", "create"], secret)).out);
      expect(bens.user).toBe("anna");
      expect(await command(["tokens", "revoke", id])).toMatchObject({ code: 0 });
      expect(await ask(secret)).toBe(401);
      expect(await command(["users", "list"], secret)).toMatchObject({
        code: 5,
        err: expect.stringContaining("SERVER_TOKEN_REQUIRED"),
      });
      const trail = await command(["--json", "audit"]);
      expect(
        JSON.parse(trail.out)
          .map(({ actor, action }: { actor: string; action: string }) => [actor, action])
          .reverse(),
      ).toEqual([
        ["token:machine", "users.add"],
        ["token:machine", "tokens.create"],
        ["user:anna", "users.add"],
        ["user:anna", "tokens.create"],
        ["token:machine", "tokens.revoke"],
      ]);
      for (const text of [trail.out, (await command(["tokens"])).out]) expect(text).not.toContain(secret);
    } finally {
      await server.stop();
    }
  });

  it("are made where no server runs too, and the one that starts then needs them and may be reached from elsewhere", async () => {
    const state = join(folder, "before");
    const command = at(state);
    expect(await command(["users", "add", "anna", "--role", "owner"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("ACCESS_ROLE_UNKNOWN"),
    });
    expect(await command(["users", "add", "anna", "--role", "data-scientist"])).toMatchObject({ code: 0 });
    const { secret } = JSON.parse((await command(["--json", "tokens", "create", "--user", "anna"])).out);
    const server = await startTrackingProcess(state, ["--host", "0.0.0.0"]);
    try {
      const url = server.url.replace("0.0.0.0", "127.0.0.1");
      const { status } = await fetch(`${url}/api/2.0/mlflow/experiments/create`, {
        method: "POST",
        body: '{"name":"e"}',
        headers: {
          "content-type": "application/json",
          authorization: `Basic ${Buffer.from(`anna:${secret}`).toString("base64")}`,
        },
      });
      expect([status, (await fetch(`${url}/api/v1/default/default/runs`)).status]).toEqual([200, 401]);
      expect(await command(["users"])).toMatchObject({ code: 0, out: expect.stringContaining("data-scientist") });
    } finally {
      await server.stop();
    }
  });

  it.skipIf(!openssl.found)(`reach a server that speaks TLS under its own certificate ${openssl.reason}`.trimEnd(), async () => {
    const state = join(folder, "secure");
    const { certFile, keyFile } = makeCertificate(folder, "models.example");
    const server = await startTrackingProcess(state, ["--tls-cert", certFile, "--tls-key", keyFile]);
    try {
      expect(server.url).toMatch(/^https:/);
      expect(await at(state)(["users", "add", "anna", "--role", "admin"])).toMatchObject({ code: 0 });
      expect(await at(state)(["users"])).toMatchObject({ code: 0, out: expect.stringContaining("anna") });
      // What lets commands in is for those alone who own the state.
      expect(statSync(join(state, "run", "control-plane.json")).mode & 0o777).toBe(0o600);
    } finally {
      await server.stop();
    }
  });
});
