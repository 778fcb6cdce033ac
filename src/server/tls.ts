import { readFileSync } from "node:fs";
import { createServer, type ServerOptions } from "node:https";
import type { FastifyServerFactoryHandler } from "fastify";
import { serverErrors } from "./errors.ts";
import { TIMEOUTS } from "./limits.ts";

/** Where certificate (with its chain) and key lie, as PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** @throws SERVER_CERTIFICATE_INVALID */
function read({ certFile, keyFile }: Certificate): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (cause) {
    const path = (cause as NodeJS.ErrnoException).path ?? certFile;
    throw serverErrors.SERVER_CERTIFICATE_INVALID(`${path} cannot be read`, { cause });
  }
}

/** A server that speaks TLS 1.2 or newer; a SIGHUP makes it read its certificate again. @throws SERVER_CERTIFICATE_INVALID */
export function tlsServer(certificate: Certificate, handler: FastifyServerFactoryHandler) {
  const options: ServerOptions = {
    ...read(certificate),
    minVersion: "TLSv1.2",
    requestTimeout: TIMEOUTS.request,
    headersTimeout: TIMEOUTS.headers,
    keepAliveTimeout: TIMEOUTS.keepAlive,
    connectionsCheckingInterval: TIMEOUTS.checkedEvery,
  };
  try {
    const server = createServer(options, (request, response) => handler(request, response));
    const renew = () => {
      try {
        server.setSecureContext(read(certificate));
      } catch {
        // Half-written files: the certificate there was goes on until the next signal.
      }
    };
    process.on("SIGHUP", renew);
    server.once("close", () => process.off("SIGHUP", renew));
    return server;
  } catch (cause) {
    throw serverErrors.SERVER_CERTIFICATE_INVALID(
      `${certificate.certFile} and ${certificate.keyFile} are no certificate and its key`,
      {
        cause,
      },
    );
  }
}
