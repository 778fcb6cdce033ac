import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OrreryError } from "../../core/errors.ts";
import type { Scope } from "../../core/scope.ts";
import { featureServerErrors } from "./errors.ts";

/** The control plane owns what this server only reads: what is to be written goes there, under the name of whoever asks. */
export interface ControlPlaneClient {
  /**
   * @param authorization the caller's own
   * @throws FEATURE_SERVER_CONTROL_PLANE_MISSING, and whatever it answers
   */
  get(path: string, authorization: string | undefined): Promise<unknown>;
  /** The same, with a body. */
  post(path: string, body: unknown, authorization: string | undefined): Promise<unknown>;
}

/** @param runDirectory where a control plane writes itself down */
export function createControlPlaneClient(runDirectory: string, { workspace, project }: Scope): ControlPlaneClient {
  const ask = async (method: string, path: string, authorization: string | undefined, body?: string): Promise<unknown> => {
    const url = `${controlPlaneUrl(runDirectory)}/api/v1/${encodeURIComponent(workspace)}/${encodeURIComponent(project)}${path}`;
    const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) }).catch((cause: unknown) => {
      throw featureServerErrors.FEATURE_SERVER_CONTROL_PLANE_MISSING("The control plane does not answer", { cause });
    });
    const said: unknown = await answer.json().catch(() => null);
    if (answer.ok) return said;
    if (isError(said)) throw OrreryError.fromJSON(said);
    throw featureServerErrors.FEATURE_SERVER_CONTROL_PLANE_MISSING(`The control plane answered ${answer.status}`);
  };
  return {
    get: (path, authorization) => ask("GET", path, authorization),
    post: (path, body, authorization) => ask("POST", path, authorization, JSON.stringify(body)),
  };
}

function controlPlaneUrl(runDirectory: string): string {
  try {
    return String(JSON.parse(readFileSync(join(runDirectory, "control-plane.json"), "utf8")).url);
  } catch (cause) {
    throw featureServerErrors.FEATURE_SERVER_CONTROL_PLANE_MISSING("No control plane runs on this state folder", { cause });
  }
}

const isError = (said: unknown): said is ReturnType<OrreryError["toJSON"]> =>
  typeof said === "object" && said !== null && "code" in said && "kind" in said && "message" in said;
