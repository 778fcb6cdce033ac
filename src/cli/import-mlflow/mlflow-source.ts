import { z } from "zod";
import { importErrors } from "./errors.ts";

const REQUEST_MS = 120_000;
const HISTORY_PAGE = 25_000;

/** int64 of protocol buffers: a number, or a string of one. */
const int64 = z.coerce.number().int();
const pair = z.object({ key: z.string(), value: z.string().default("") });
const metric = z.object({
  key: z.string().default(""),
  value: z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]).default(0),
  timestamp: int64.default(0),
  step: int64.default(0),
});
const experiment = z.object({
  experiment_id: z.string(),
  name: z.string(),
  lifecycle_stage: z.string().default("active"),
  creation_time: int64.optional(),
  tags: z.array(pair).default([]),
});
const run = z.object({
  info: z.object({
    run_id: z.string(),
    run_name: z.string().default(""),
    status: z.string().default("RUNNING"),
    start_time: int64.default(0),
    end_time: int64.optional(),
    artifact_uri: z.string().default(""),
    lifecycle_stage: z.string().default("active"),
    user_id: z.string().default(""),
  }),
  data: z
    .object({ metrics: z.array(metric).default([]), params: z.array(pair).default([]), tags: z.array(pair).default([]) })
    .default({ metrics: [], params: [], tags: [] }),
  inputs: z
    .object({
      dataset_inputs: z
        .array(
          z.object({
            tags: z.array(pair).default([]),
            dataset: z.object({
              name: z.string(),
              digest: z.string(),
              source_type: z.string().default(""),
              source: z.string().default(""),
              schema: z.string().optional(),
              profile: z.string().optional(),
            }),
          }),
        )
        .default([]),
    })
    .default({ dataset_inputs: [] }),
});
const loggedModel = z.object({
  info: z.object({
    model_id: z.string(),
    experiment_id: z.string(),
    name: z.string().default(""),
    artifact_uri: z.string().default(""),
    status: z.union([z.string(), z.number()]).default("LOGGED_MODEL_READY"),
    model_type: z.string().default(""),
    source_run_id: z.string().default(""),
    tags: z.array(pair).default([]),
  }),
  data: z.object({ params: z.array(pair).default([]) }).default({ params: [] }),
});
const alias = z.object({ alias: z.string(), version: z.coerce.number().int() });
const registeredModel = z.object({
  name: z.string(),
  description: z.string().default(""),
  tags: z.array(pair).default([]),
  aliases: z.array(alias).default([]),
});
const version = z.object({
  name: z.string(),
  version: z.coerce.number().int(),
  source: z.string().default(""),
  run_id: z.string().default(""),
  run_link: z.string().default(""),
  model_id: z.string().default(""),
  description: z.string().default(""),
  current_stage: z.enum(["None", "Staging", "Production", "Archived"]).catch("None"),
  tags: z.array(pair).default([]),
});
const file = z.object({ path: z.string(), is_dir: z.boolean().default(false), file_size: int64.default(0) });

export type SourceExperiment = z.output<typeof experiment>;
export type SourceRun = z.output<typeof run>;
export type SourceMetric = z.output<typeof metric>;
export type SourceLoggedModel = z.output<typeof loggedModel>;
export type SourceModel = z.output<typeof registeredModel>;
export type SourceVersion = z.output<typeof version>;

/**
 * An MLflow server, read by its REST protocol. Nothing it says is trusted: answers are checked, redirects are refused, and no address but the
 * one given is ever asked, whatever an artifact's location names.
 */
export class MlflowSource {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws IMPORT_ADDRESS_INVALID */
  constructor(url: string, environment: NodeJS.ProcessEnv = process.env) {
    if (!/^https?:\/\/[^/]/.test(url)) throw importErrors.IMPORT_ADDRESS_INVALID(`"${url}" is no address of an MLflow server`);
    this.#url = url.replace(/\/+$/, "");
    const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = environment;
    if (token) this.#headers = { authorization: `Bearer ${token}` };
    else if (user) this.#headers = { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` };
    else this.#headers = {};
  }

  async *experiments(): AsyncGenerator<SourceExperiment> {
    yield* this.#pages("experiments/search", { view_type: "ALL", max_results: 1_000 }, "experiments", experiment);
  }

  async *runs(experimentId: string): AsyncGenerator<SourceRun> {
    const body = { experiment_ids: [experimentId], run_view_type: "ALL", max_results: 500 };
    yield* this.#pages("runs/search", body, "runs", run);
  }

  async *loggedModels(experimentId: string): AsyncGenerator<SourceLoggedModel> {
    yield* this.#pages("logged-models/search", { experiment_ids: [experimentId], max_results: 50 }, "models", loggedModel);
  }

  async *registeredModels(): AsyncGenerator<SourceModel> {
    yield* this.#pages("registered-models/search", { max_results: 100 }, "registered_models", registeredModel, "GET");
  }

  /** By number. */
  async versions(name: string): Promise<SourceVersion[]> {
    const filter = `name = '${name.replaceAll("'", "''")}'`;
    const found = await Array.fromAsync(
      this.#pages("model-versions/search", { filter, max_results: 10_000 }, "model_versions", version, "GET"),
    );
    return found.sort((a, b) => a.version - b.version);
  }

  async *history(runId: string, key: string): AsyncGenerator<SourceMetric> {
    const query = { run_id: runId, metric_key: key, max_results: HISTORY_PAGE };
    yield* this.#pages("metrics/get-history", query, "metrics", metric, "GET");
  }

  /** Every file below a folder of the artifact proxy, relative to it. */
  async *files(folder: string): AsyncGenerator<{ readonly path: string; readonly bytes: number }> {
    const waiting = [""];
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      const path = below === "" ? folder : `${folder}/${below}`;
      const answer = await this.#ask(`mlflow-artifacts/artifacts?${new URLSearchParams({ path })}`);
      for (const each of z.object({ files: z.array(file).default([]) }).parse(await answer.json()).files) {
        const name = each.path.split("/").at(-1) ?? "";
        if (name === "" || name === "." || name === "..") continue;
        const full = below === "" ? name : `${below}/${name}`;
        if (each.is_dir) waiting.push(full);
        else yield { path: full, bytes: each.file_size };
      }
    }
  }

  async download(path: string): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.#ask(`mlflow-artifacts/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`);
    if (answer.body === null) throw importErrors.IMPORT_SOURCE_FAILED(`The source sent nothing for ${path}`);
    return answer.body;
  }

  async *#pages<T>(
    path: string,
    question: Record<string, unknown>,
    field: string,
    item: z.ZodType<T>,
    method: "GET" | "POST" = "POST",
  ): AsyncGenerator<T> {
    for (let page_token = ""; ; ) {
      const asked = { ...question, ...(page_token !== "" && { page_token }) };
      const query = Object.entries(asked).map(([key, value]): [string, string] => [key, String(value)]);
      const answer =
        method === "GET"
          ? await this.#ask(`mlflow/${path}?${new URLSearchParams(query)}`)
          : await this.#ask(`mlflow/${path}`, JSON.stringify(asked));
      const parsed = z
        .object({ [field]: z.array(item).default([]), next_page_token: z.string().default("") })
        .safeParse(await answer.json());
      if (!parsed.success)
        throw importErrors.IMPORT_SOURCE_FAILED(
          `The answer to ${path} is none of MLflow's: ${parsed.error.issues[0]?.path.join(".")}`,
        );
      yield* parsed.data[field] as T[];
      page_token = String(parsed.data.next_page_token ?? "");
      if (page_token === "") return;
    }
  }

  /** @throws IMPORT_SOURCE_FAILED */
  async #ask(path: string, body?: string): Promise<Response> {
    const asking = fetch(`${this.#url}/api/2.0/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...this.#headers, ...(body !== undefined && { "content-type": "application/json" }) },
      redirect: "error",
      signal: AbortSignal.timeout(REQUEST_MS),
      ...(body !== undefined && { body }),
    });
    const answer = await asking.catch((cause) => {
      throw importErrors.IMPORT_SOURCE_FAILED(`The source does not answer at ${this.#url}`, { cause });
    });
    if (answer.ok) return answer;
    const text = (await answer.text()).slice(0, 200);
    throw importErrors.IMPORT_SOURCE_FAILED(`The source answered ${answer.status} to ${path.split("?", 1)[0]}: ${text}`);
  }
}

export const textsOf = (pairs: readonly { readonly key: string; readonly value: string }[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
