import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Scope } from "../../core/scope.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { isLoopback } from "../inference/access.ts";
import { accessToken, invalid, pathName, wholeNumber } from "../inference/options.ts";

export interface FeatureServerOptions {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly scope: Scope;
  readonly token: string | null;
  readonly paths: { readonly state: string; readonly online: string; readonly run: string };
}

const text = (value: string) => ({ type: "string", default: value }) as const;
const OPTIONS = {
  host: text("127.0.0.1"),
  // Feast's.
  port: text("6566"),
  workers: text(String(Math.min(2, availableParallelism()))),
  "state-dir": text(".orrery"),
  workspace: text("default"),
  project: text(""),
  "token-file": { type: "string" },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    throw invalid(cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause), cause);
  }
}

/**
 * The server's options from its arguments and environment.
 * @throws SERVING_OPTION_INVALID, SERVING_TOKEN_MISSING off loopback without a token, SECRET_MISSING
 */
export function featureServerOptions(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): FeatureServerOptions {
  const values = parse(args);
  const token = accessToken(values["token-file"], environment);
  if (!isLoopback(values.host) && token === null)
    throw servingErrors.SERVING_TOKEN_MISSING(`Listening on ${values.host} needs an access token`);
  const state = resolve(values["state-dir"]);
  const scope = { workspace: pathName("workspace", values.workspace), project: pathName("project", values.project) };
  return {
    host: values.host,
    port: wholeNumber("port", values.port, 0, 65_535),
    workers: wholeNumber("workers", values.workers, 1, 256),
    scope,
    token,
    paths: { state, online: join(state, "online", scope.workspace, scope.project), run: join(state, "run") },
  };
}
