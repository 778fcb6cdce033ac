import type { Command } from "commander";
import type { AccessPolicy } from "../server/authorise.ts";
import type { Certificate } from "../server/tls.ts";
import { accessToken } from "./connection.ts";
import { cliErrors } from "./errors.ts";

/** What every server of the command line is told about where it listens and who reaches it. */
export interface ServerOptions {
  readonly host: string;
  readonly port: string;
  readonly database?: string;
  readonly artifacts?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly publicUrl?: string;
  readonly allowedHost?: readonly string[];
  readonly trustProxy?: readonly string[];
  readonly maxUpload?: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addServerOptions(command: Command, port: string): Command {
  return command
    .option("--host <address>", "address to listen on; anything but loopback needs a token or a user", "127.0.0.1")
    .option("--port <number>", "port of the API and web UI", port)
    .option("--database <url>", "postgres://… instead of a file in the state folder (or set ORRERY_DATABASE_URL)")
    .option("--artifacts <place>", "s3://bucket/prefix, or another folder, for files (or set ORRERY_ARTIFACTS_URL)")
    .option("--token-file <path>", "file with an administrator's access token (or set ORRERY_TOKEN)")
    .option("--tls-cert <path>", "PEM file with the certificate and its chain; read again at SIGHUP")
    .option("--tls-key <path>", "PEM file with the certificate's key")
    .option("--public-url <url>", "where people find the server when a proxy stands before it")
    .option("--allowed-host <name>", "a further name it may be called by; may be given again", collect)
    .option("--trust-proxy <address>", "a proxy whose X-Forwarded headers are believed; may be given again", collect)
    .option("--max-upload <size>", "how large one uploaded artifact may be, as 20GB; no limit unless given");
}

/** @throws CLI_URL_INVALID */
export function accessPolicy(options: ServerOptions): AccessPolicy {
  const { host, publicUrl, allowedHost, trustProxy } = options;
  if (publicUrl !== undefined && !/^https?:\/\/[^/]/.test(publicUrl))
    throw cliErrors.CLI_URL_INVALID(`"${publicUrl}" is no address of a server`);
  return {
    host,
    token: accessToken(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(allowedHost !== undefined && { allowedHosts: allowedHost }),
    ...(trustProxy !== undefined && { trustedProxies: trustProxy }),
  };
}

const UNITS = ["", "KB", "MB", "GB", "TB"];

/** The limit in bytes of `--max-upload`; units are powers of 1000. @throws CLI_SIZE_INVALID */
export function uploadLimit({ maxUpload }: Pick<ServerOptions, "maxUpload">): { readonly maxUploadBytes?: number } {
  if (maxUpload === undefined) return {};
  const [, figures = "", unit = ""] = /^(\d+)\s*([KMGT]B)?$/i.exec(maxUpload.trim()) ?? [];
  const maxUploadBytes = Number(figures) * 1000 ** UNITS.indexOf(unit.toUpperCase());
  if (maxUploadBytes === 0 || !Number.isSafeInteger(maxUploadBytes))
    throw cliErrors.CLI_SIZE_INVALID(`"${maxUpload}" is no size of a file`);
  return { maxUploadBytes };
}

/** @throws CLI_ARGUMENT_MISSING where one of the two files is not named */
export function certificate({ tlsCert, tlsKey }: ServerOptions): { readonly tls?: Certificate } {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined)
    throw cliErrors.CLI_ARGUMENT_MISSING("--tls-cert and --tls-key belong together");
  return { tls: { certFile: tlsCert, keyFile: tlsKey } };
}
