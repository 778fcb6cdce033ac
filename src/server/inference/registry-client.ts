import { servingErrors } from "../../core/serving/index.ts";

/** Where a registry answers, and what lets one in. */
export interface RegistryConnection {
  /** As MLFLOW_TRACKING_URI says it. */
  readonly url: string;
  readonly token: string | null;
}

/** The files of a model's folder, and which version it is. */
export interface ModelPlace {
  /** null for what is no registered version. */
  readonly version: string | null;
  /** "mlflow-artifacts:/…" */
  readonly location: string;
}

const ANSWER_MS = 10_000;
/** Of a file of gigabytes over a slow line. */
const DOWNLOAD_MS = 10 * 60_000;
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;
export const MOST_FILE_BYTES = 2 * 1024 * 1024 * 1024;
const SCHEME = /^mlflow-artifacts:\/(?!\/)/;

interface VersionAnswer {
  readonly name: string;
  readonly version: string;
}

/**
 * What of MLflow's protocol finds and fetches a model: Orrery's servers answer it, and MLflow's own do. It speaks to the one server it was given
 * and to no other, whatever an answer names.
 */
export class RegistryClient {
  readonly #connect: () => RegistryConnection;

  /** @param connect asked before each request, because a server that starts again may have another address and token */
  constructor(connect: () => RegistryConnection) {
    this.#connect = connect;
  }

  async byAlias(name: string, alias: string): Promise<ModelPlace> {
    const found = await this.#get<{ model_version: VersionAnswer }>("registered-models/alias", { name, alias });
    return this.#placeOf(found.model_version);
  }

  byVersion(name: string, version: string): Promise<ModelPlace> {
    return this.#placeOf({ name, version });
  }

  /** The newest of a stage, of all for "latest". @throws SERVING_MODEL_MISSING */
  async byStage(name: string, stage: string): Promise<ModelPlace> {
    const stages = stage.toLowerCase() === "latest" ? [] : [stage];
    const query: [string, string][] = [["name", name], ...stages.map((each): [string, string] => ["stages", each])];
    const { model_versions = [] } = await this.#get<{ model_versions?: readonly VersionAnswer[] }>(
      "registered-models/get-latest-versions",
      query,
    );
    const newest = model_versions.toSorted((a, b) => Number(b.version) - Number(a.version))[0];
    if (newest === undefined) throw servingErrors.SERVING_MODEL_MISSING(`${name} has no version in the stage ${stage}`);
    return this.#placeOf({ name, version: newest.version });
  }

  async byLoggedModel(id: string): Promise<ModelPlace> {
    const found = await this.#get<{ model: { info: { artifact_uri: string } } }>(`logged-models/${encodeURIComponent(id)}`);
    return { version: null, location: found.model.info.artifact_uri };
  }

  /** A run's folder, or the model that the run logged under that name. @throws SERVING_MODEL_MISSING */
  async byRun(run: string, path: string): Promise<ModelPlace> {
    const found = await this.#get<{
      run: { info: { artifact_uri: string }; outputs?: { model_outputs?: readonly { model_id: string }[] } };
    }>("runs/get", { run_id: run });
    const location = `${found.run.info.artifact_uri}/${path}`;
    if (await this.#has(location)) return { version: null, location };
    for (const { model_id } of found.run.outputs?.model_outputs ?? []) {
      const { model } = await this.#get<{ model: { info: { name: string; artifact_uri: string } } }>(
        `logged-models/${encodeURIComponent(model_id)}`,
      );
      if (model.info.name === path) return { version: null, location: model.info.artifact_uri };
    }
    throw servingErrors.SERVING_MODEL_MISSING(`the run ${run} has no model ${path}`);
  }

  /** @throws SERVING_MODEL_MISSING, SERVING_MODEL_ELSEWHERE, SERVING_REGISTRY_UNREACHABLE, SERVING_REGISTRY_REFUSED */
  async file(location: string, path: string): Promise<Uint8Array> {
    const below = [...pathOf(location).split("/"), ...path.split("/")].filter((part) => part !== "");
    const address = `api/2.0/mlflow-artifacts/artifacts/${below.map(encodeURIComponent).join("/")}`;
    const { answer, what } = await this.#ask(address, DOWNLOAD_MS);
    return readAll(answer, MOST_FILE_BYTES, what);
  }

  async #has(location: string): Promise<boolean> {
    const answer = await this.#json<{ files?: readonly { path: string }[] }>(
      `api/2.0/mlflow-artifacts/artifacts?${new URLSearchParams({ path: pathOf(location) })}`,
    );
    return (answer.files ?? []).some(({ path }) => path.split("/").at(-1) === "MLmodel");
  }

  async #placeOf({ name, version }: VersionAnswer): Promise<ModelPlace> {
    const { artifact_uri } = await this.#get<{ artifact_uri?: string }>("model-versions/get-download-uri", { name, version });
    if (typeof artifact_uri !== "string") throw servingErrors.SERVING_MODEL_MISSING(`version ${version} of ${name} has no files`);
    const [, run, path] = /^runs:\/+([^/]+)\/(.+)$/.exec(artifact_uri) ?? [];
    if (run !== undefined && path !== undefined) return { version, location: (await this.byRun(run, path)).location };
    return { version, location: artifact_uri };
  }

  #get<Answer>(path: string, query: Readonly<Record<string, string>> | [string, string][] = {}): Promise<Answer> {
    return this.#json(`api/2.0/mlflow/${path}?${new URLSearchParams(query)}`);
  }

  async #json<Answer>(path: string): Promise<Answer> {
    const { answer, what } = await this.#ask(path, ANSWER_MS);
    const text = new TextDecoder().decode(await readAll(answer, MOST_ANSWER_BYTES, what));
    try {
      return JSON.parse(text) as Answer; // What the protocol says; a server that answers otherwise is found out where it is used.
    } catch (cause) {
      throw servingErrors.SERVING_REGISTRY_UNREACHABLE(`${what} answered what is no JSON`, { cause });
    }
  }

  async #ask(path: string, timeout: number): Promise<{ answer: Response; what: string }> {
    const { url, token } = this.#connect();
    const what = `the registry at ${new URL(url).host}`;
    let answer: Response;
    try {
      answer = await fetch(`${url.replace(/\/+$/, "")}/${path}`, {
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        // Elsewhere is nobody's business who holds this token.
        redirect: "error",
        signal: AbortSignal.timeout(timeout),
      });
    } catch (cause) {
      throw servingErrors.SERVING_REGISTRY_UNREACHABLE(`${what} does not answer`, { cause });
    }
    if (answer.ok) return { answer, what };
    const text = new TextDecoder().decode(await readAll(answer, MOST_ANSWER_BYTES, what));
    const said = messageOf(text) ?? `status ${answer.status}`;
    if (answer.status === 401 || answer.status === 403) throw servingErrors.SERVING_REGISTRY_REFUSED(`${what} refuses: ${said}`);
    if (answer.status === 404 || answer.status === 400) throw servingErrors.SERVING_MODEL_MISSING(`${what} says: ${said}`);
    throw servingErrors.SERVING_REGISTRY_UNREACHABLE(`${what} fails: ${said}`);
  }
}

/** Files are fetched from the registry itself, below its tree of artifacts. @throws SERVING_MODEL_ELSEWHERE */
function pathOf(location: string): string {
  const path = location.replace(SCHEME, "");
  if (path === location || path.split("/").includes("..") || /[\\#?\0]/.test(path))
    throw servingErrors.SERVING_MODEL_ELSEWHERE(`the model's files are at ${location.slice(0, 300)}, not in the registry`);
  return path;
}

function messageOf(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "message" in body ? String(body.message).slice(0, 300) : null;
  } catch {
    return null;
  }
}

async function readAll({ body }: Response, most: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > most) throw servingErrors.SERVING_MODEL_ELSEWHERE(`${what} sends more than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "SERVING_MODEL_ELSEWHERE") throw cause;
    throw servingErrors.SERVING_REGISTRY_UNREACHABLE(`${what} broke off`, { cause });
  }
  return Buffer.concat(chunks);
}
