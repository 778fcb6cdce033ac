import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate, openssl } from "../../../test/fixtures/certificate.ts";
import { serveTracking, type TrackingServer } from "../tracking-server.ts";

describe.skipIf(!openssl.found)(`TLS ${openssl.reason}`.trimEnd(), () => {
  let folder: string;
  let certificate: { readonly certFile: string; readonly keyFile: string };
  let server: TrackingServer;
  const serve = (tls: { certFile: string; keyFile: string }, name = "state") =>
    serveTracking({
      stateDirectory: join(folder, name),
      stores: { database: null, artifacts: null },
      project: "default",
      access: { host: "127.0.0.1", token: "an-administrators-token" },
      port: 0,
      logLevel: "fatal",
      tls,
    });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-tls-"));
    certificate = makeCertificate(folder, "first");
    server = await serve(certificate);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const port = () => Number(new URL(server.url).port);

  it("answers who trusts the certificate, in a program of its own with the real fetch", async () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const program = `
      const ask = async (path, init) => { const answer = await fetch(process.argv[1] + path, init); return [answer.status, await answer.text()]; };
      const headers = { authorization: "Bearer an-administrators-token", "content-type": "application/json" };
      console.log(JSON.stringify([
        await ask("/health"),
        await ask("/api/2.0/mlflow/experiments/create", { method: "POST", headers, body: '{"name":"over TLS"}' }),
        await ask("/api/2.0/mlflow-artifacts/artifacts/large.bin", { method: "PUT", headers, body: new Uint8Array(20_000_000) }),
        await ask("/api/2.0/mlflow/experiments/search?max_results=1"),
      ]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, server.url], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.certFile },
    });
    const [health, created, uploaded, refused] = JSON.parse(stdout);
    expect(health).toEqual([200, "OK"]);
    expect([created[0], uploaded[0], refused[0]]).toEqual([200, 200, 401]);
  });

  it("is not believed by who does not know the certificate, and answers nothing without TLS", async () => {
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
    await expect(fetch(`http://127.0.0.1:${port()}/health`)).rejects.toThrow("fetch failed");
  });

  it("speaks TLS 1.2 and 1.3, nothing older", async () => {
    const speak = (version: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
      new Promise<string | null>((resolve) => {
        const options = { port: port(), host: "127.0.0.1", minVersion: version, maxVersion: version, rejectUnauthorized: false };
        // Ciphers of old versions have to be allowed here, or this side would be the one that refuses.
        const socket: TLSSocket = connect({ ...options, ciphers: "ALL:@SECLEVEL=0" }, () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.on("error", () => resolve(null));
      });
    expect([await speak("TLSv1"), await speak("TLSv1.1")]).toEqual([null, null]);
    expect([await speak("TLSv1.2"), await speak("TLSv1.3")]).toEqual(["TLSv1.2", "TLSv1.3"]);
  });

  it("takes a new certificate at SIGHUP, keeps the old one where the new one is none, and loses nobody", async () => {
    const files = makeCertificate(folder, "second");
    const nameOf = () =>
      new Promise<string | string[] | undefined>((resolve, reject) => {
        const socket = connect({ port: port(), host: "127.0.0.1", rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().subject.CN);
          socket.destroy();
        });
        socket.on("error", reject);
      });
    expect(await nameOf()).toBe("first");
    const whole = readFileSync(certificate.certFile);
    writeFileSync(certificate.certFile, whole.subarray(0, 100));
    process.emit("SIGHUP");
    expect(await nameOf()).toBe("first");
    copyFileSync(files.certFile, certificate.certFile);
    copyFileSync(files.keyFile, certificate.keyFile);
    process.emit("SIGHUP");
    expect(await nameOf()).toBe("second");
    const status = await new Promise((resolve, reject) => {
      get({ port: port(), host: "127.0.0.1", path: "/health", ca: readFileSync(files.certFile) }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on("error", reject);
    });
    expect(status).toBe(200);
  });

  it("does not start without a certificate and the key of it", async () => {
    const other = makeCertificate(folder, "other");
    const broken = [
      { certFile: join(folder, "missing.crt"), keyFile: other.keyFile },
      { certFile: other.certFile, keyFile: certificate.keyFile },
      { certFile: other.keyFile, keyFile: other.certFile },
    ];
    for (const files of broken)
      await expect(serve(files, "broken")).rejects.toMatchObject({ code: "SERVER_CERTIFICATE_INVALID" });
    const started = await serve(other, "broken");
    await started.close();
  });

  it("leaves no listener behind when its server ends", async () => {
    const before = process.listenerCount("SIGHUP");
    const started = await serve(makeCertificate(folder, "third"), "listeners");
    expect(process.listenerCount("SIGHUP")).toBe(before + 1);
    await started.close();
    expect(process.listenerCount("SIGHUP")).toBe(before);
  });
});
