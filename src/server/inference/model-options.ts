import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { servingErrors } from "../../core/serving/index.ts";
import { isLoopback } from "./access.ts";
import { cacheFolder } from "./model-cache.ts";
import { type ModelUri, parseModelUri } from "./model-uri.ts";
import { accessToken, invalid, wholeNumber } from "./options.ts";
import type { RegistryConnection } from "./registry-client.ts";

export interface ModelServerOptions {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  /** As it was given. */
  readonly address: string;
  readonly uri: ModelUri;
  readonly token: string | null;
  readonly anonymous: boolean;
  /** Where the registry is now. @throws SERVING_REGISTRY_MISSING */
  readonly connect: () => RegistryConnection;
  readonly paths: {
    readonly state: string;
    readonly run: string;
    /** Where the model's files are kept. */
    readonly cache: string;
  };
}

const text = (value: string) => ({ type: "string", default: value }) as const;
const OPTIONS = {
  model: text(""),
  host: text("127.0.0.1"),
  port: text("4101"),
  workers: text("1"),
  "state-dir": text(".orrery"),
  "tracking-uri": { type: "string" },
  "token-file": { type: "string" },
  anonymous: { type: "boolean", default: false },
} as const;

/** Written by `orrery up` and `orrery server` into the folder of what runs. */
const ANNOUNCEMENT = "control-plane.json";

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    throw invalid(cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause), cause);
  }
}

/**
 * A model server's options from its arguments and environment.
 * @throws SERVING_OPTION_INVALID, SERVING_MODEL_URI_INVALID, SERVING_REGISTRY_MISSING, SECRET_MISSING
 * @throws SERVING_TOKEN_MISSING off loopback without a token, unless it is said that nobody needs one
 */
export function modelServerOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): ModelServerOptions {
  const values = parse(args);
  const uri = parseModelUri(values.model);
  const { anonymous } = values;
  const token = anonymous ? null : accessToken(values["token-file"], environment);
  if (!isLoopback(values.host) && token === null && !anonymous)
    throw servingErrors.SERVING_TOKEN_MISSING(`Listening on ${values.host} needs an access token`, {
      hint: "Set ORRERY_TOKEN or --token-file, or say --anonymous where the surroundings keep others out, as in a container of SageMaker.",
    });
  const state = resolve(values["state-dir"]);
  const run = join(state, "run");
  const trackingUri = values["tracking-uri"] ?? (environment.MLFLOW_TRACKING_URI || null);
  if (trackingUri !== null && uri.kind !== "folder" && !/^https?:\/\/[^/]/.test(trackingUri))
    throw servingErrors.SERVING_REGISTRY_MISSING("The tracking URI is no address of a server");
  return {
    host: values.host,
    port: wholeNumber("port", values.port, 0, 65_535),
    workers: wholeNumber("workers", values.workers, 1, 256),
    address: values.model,
    uri,
    token,
    anonymous,
    connect: () =>
      trackingUri === null
        ? announced(run, environment.ORRERY_TOKEN || null)
        : { url: trackingUri, token: environment.MLFLOW_TRACKING_TOKEN || null },
    paths: { state, run, cache: cacheFolder(state, `${trackingUri ?? ""} ${values.model}`) },
  };
}

/** The server that runs on this state folder: another one each time that it starts. */
function announced(run: string, token: string | null): RegistryConnection {
  try {
    const { url, machineToken } = JSON.parse(readFileSync(join(run, ANNOUNCEMENT), "utf8"));
    if (typeof url !== "string" || typeof machineToken !== "string") throw new TypeError("it names no server");
    return { url, token: token ?? machineToken };
  } catch (cause) {
    throw servingErrors.SERVING_REGISTRY_MISSING("No server runs on this state folder, and no tracking URI is said", { cause });
  }
}
