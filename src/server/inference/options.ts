import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { resolveSecret, secret } from "../../core/definitions/index.ts";
import type { Scope } from "../../core/scope.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { isLoopback } from "./access.ts";

export interface InferenceServerOptions {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly scope: Scope;
  readonly endpoint: string;
  readonly clock: "system" | "virtual";
  readonly token: string | null;
  /** Share of requests that are traced. */
  readonly traceRatio: number;
  readonly otlpUrl: string | null;
  readonly paths: {
    readonly state: string;
    readonly online: string;
    readonly deployment: string;
    readonly predictions: string;
    readonly traces: string;
    readonly run: string;
  };
}

const text = (value: string) => ({ type: "string", default: value }) as const;
const OPTIONS = {
  host: text("127.0.0.1"),
  port: text("4101"),
  workers: text(String(Math.min(2, availableParallelism()))),
  "state-dir": text(".orrery"),
  workspace: text("default"),
  project: text(""),
  endpoint: text(""),
  clock: text("system"),
  "token-file": { type: "string" },
} as const;

export const invalid = (message: string, cause?: unknown) => servingErrors.SERVING_OPTION_INVALID(message, { cause });

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    throw invalid(cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause), cause);
  }
}

export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) throw invalid(`--${name} takes a whole number from ${min} to ${max}, not "${value}"`);
  return number;
}

/** A name becomes part of a path. */
export function pathName(name: string, value: string): string {
  if (value === "" || /[/\\\0]/.test(value) || value.startsWith("."))
    throw invalid(`--${name} takes a name, not "${value.replaceAll("\0", "")}"`);
  return value;
}

function share(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined || value === "") return otherwise;
  const number = Number(value);
  if (!(number >= 0 && number <= 1)) throw invalid(`${name} takes a share from 0 to 1, not "${value}"`);
  return number;
}

/** What those who ask have to send; null where nothing was said. @throws SERVING_OPTION_INVALID, SECRET_MISSING */
export function accessToken(tokenFile: string | undefined, environment: NodeJS.ProcessEnv): string | null {
  const inEnvironment = environment.ORRERY_TOKEN ? resolveSecret(secret.env("ORRERY_TOKEN"), environment) : null;
  const token = tokenFile === undefined ? inEnvironment : resolveSecret(secret.file(tokenFile));
  if (token === "") throw invalid(`The token file ${tokenFile} is empty`);
  return token;
}

/**
 * The server's options from its arguments and environment.
 * @throws SERVING_OPTION_INVALID, SERVING_TOKEN_MISSING off loopback without a token, SECRET_MISSING
 */
export function inferenceOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): InferenceServerOptions {
  const values = parse(args);
  const token = accessToken(values["token-file"], environment);
  if (!isLoopback(values.host) && token === null)
    throw servingErrors.SERVING_TOKEN_MISSING(`Listening on ${values.host} needs an access token`);
  if (values.clock !== "system" && values.clock !== "virtual")
    throw invalid(`--clock takes system or virtual, not "${values.clock}"`);
  const state = resolve(values["state-dir"]);
  const scope = { workspace: pathName("workspace", values.workspace), project: pathName("project", values.project) };
  const endpoint = pathName("endpoint", values.endpoint);
  const scoped = (folder: string, ...rest: string[]) => join(state, folder, scope.workspace, scope.project, ...rest);
  return {
    host: values.host,
    port: wholeNumber("port", values.port, 0, 65_535),
    workers: wholeNumber("workers", values.workers, 1, 256),
    scope,
    endpoint,
    clock: values.clock,
    token,
    traceRatio: share("ORRERY_TRACE_RATIO", environment.ORRERY_TRACE_RATIO, 0.01),
    otlpUrl: environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || null,
    paths: {
      state,
      online: scoped("online"),
      deployment: scoped("deployments", endpoint),
      predictions: scoped("predictions", endpoint),
      traces: join(state, "traces"),
      run: join(state, "run"),
    },
  };
}
