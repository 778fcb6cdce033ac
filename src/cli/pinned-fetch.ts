import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * A fetch for the server of this machine that speaks TLS: it believes that server's own certificate and no other, whatever name is in it, so
 * that a command works by the loopback address too. Answers are kept whole, which those of the API may be.
 */
export function pinnedFetch(certFile: string): (url: string, init: RequestInit) => Promise<Response> {
  const pem = readFileSync(certFile);
  const { fingerprint256 } = new X509Certificate(pem);
  const agent = new Agent({
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, certificate) =>
      certificate.fingerprint256 === fingerprint256 ? undefined : new Error("another certificate than the server's own"),
  });
  return (url, init) =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      const { method = "GET", signal } = init;
      const sent = request(url, { agent, method, headers, ...(signal ? { signal } : {}) }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("error", reject);
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const type = answer.headers["content-type"] ?? "application/octet-stream";
          resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500, headers: { "content-type": type } }));
        });
      });
      sent.on("error", reject);
      if (init.body instanceof ReadableStream) pipeline(Readable.fromWeb(init.body), sent).catch(reject);
      else sent.end(typeof init.body === "string" ? init.body : undefined);
    });
}
