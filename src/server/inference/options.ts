import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { resolveSecret, secret } from "../../core/definitions/index.ts";
import type { Scope } from "../../core/scope.ts";
import { servingErrors } from "../../core/serving/index.ts";

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

const LOOPBACK = /^(127\.|localhost$|::1$)/;

/**
 * The server's options from its arguments and environment.
 * @throws SERVING_TOKEN_MISSING off loopback without a token, SECRET_MISSING
 */
export function inferenceOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): InferenceServerOptions {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: text("127.0.0.1"),
      port: text("4101"),
      workers: text("1"),
      "state-dir": text(".orrery"),
      workspace: text("default"),
      project: text(""),
      endpoint: text(""),
      clock: text("system"),
      "token-file": { type: "string" },
    },
  });
  const tokenFile = values["token-file"];
  const inEnvironment = environment.ORRERY_TOKEN === undefined ? null : resolveSecret(secret.env("ORRERY_TOKEN"), environment);
  const token = tokenFile === undefined ? inEnvironment : resolveSecret(secret.file(tokenFile));
  if (!LOOPBACK.test(values.host) && token === null)
    throw servingErrors.SERVING_TOKEN_MISSING(`Listening on ${values.host} needs an access token`);
  const state = resolve(values["state-dir"]);
  const scope = { workspace: values.workspace, project: values.project };
  const scoped = (folder: string, ...rest: string[]) => join(state, folder, scope.workspace, scope.project, ...rest);
  return {
    host: values.host,
    port: Number(values.port),
    workers: Math.max(1, Number(values.workers)),
    scope,
    endpoint: values.endpoint,
    clock: values.clock === "virtual" ? "virtual" : "system",
    token,
    traceRatio: Number(environment.ORRERY_TRACE_RATIO ?? 0.01),
    otlpUrl: environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? null,
    paths: {
      state,
      online: scoped("online"),
      deployment: scoped("deployments", values.endpoint),
      predictions: scoped("predictions", values.endpoint),
      traces: join(state, "traces"),
      run: join(state, "run"),
    },
  };
}
