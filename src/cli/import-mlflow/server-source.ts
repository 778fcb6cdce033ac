import { z } from "zod";
import { importErrors } from "./errors.ts";
import type { LocalFiles } from "./local-files.ts";
import {
  experimentRecord,
  fileRecord,
  loggedModelRecord,
  type MlflowSource,
  metricRecord,
  type Report,
  readRecord,
  registeredModelRecord,
  runRecord,
  type SourceFile,
  type SourceRun,
  versionRecord,
} from "./source-records.ts";

/** Without a byte for so long, an answer is given up. */
const SILENCE_MS = 60_000;
/** What one page of records may have. */
const MOST_BYTES = 256 * 1024 * 1024;
const HISTORY_PAGE = 25_000;
const DEEPEST = 64;

/**
 * An MLflow server, read by its REST protocol. Redirects are refused, and no address but the one given is ever asked, whatever an
 * artifact's location names.
 */
export class ServerSource implements MlflowSource {
  readonly origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #report: Report;
  readonly #local: LocalFiles | null;
  #hasModels = true;

  /**
   * Files that the server's artifact proxy does not serve are looked for in `local`.
   * @throws IMPORT_ADDRESS_INVALID
   */
  constructor(url: string, report: Report, local: LocalFiles | null = null, environment: NodeJS.ProcessEnv = process.env) {
    const address = URL.parse(url);
    if (address === null || !/^https?:$/.test(address.protocol))
      throw importErrors.IMPORT_ADDRESS_INVALID("That is no address of an MLflow server");
    const { username, password } = address;
    this.origin = `${address.origin}${address.pathname.replace(/\/+$/, "")}`;
    this.#headers = authorization(environment, decodeURIComponent(username), decodeURIComponent(password));
    this.#report = report;
    this.#local = local;
  }

  experiments() {
    const question = { view_type: "ALL", max_results: 1_000 };
    return this.#pages("experiments/search", question, "experiments", experimentRecord);
  }

  runs(experimentId: string) {
    const question = { experiment_ids: [experimentId], run_view_type: "ALL", max_results: 500 };
    return this.#pages("runs/search", question, "runs", runRecord);
  }

  /** A search does not say which models a run read. */
  async complete(run: SourceRun): Promise<SourceRun> {
    if (!this.#hasModels) return run;
    const { run_id } = run.info;
    const answer = await this.#json(`mlflow/runs/get?${new URLSearchParams({ run_id })}`);
    const alone = readRecord(z.object({ run: runRecord }), answer, `run ${run_id}`, this.#report)?.run;
    return alone?.info.run_id === run_id ? alone : run;
  }

  async *loggedModels(experimentId: string) {
    const question = { experiment_ids: [experimentId], max_results: 50 };
    try {
      yield* this.#pages("logged-models/search", question, "models", loggedModelRecord);
    } catch (error) {
      // Servers before 3.0 have none.
      if (!(error instanceof Error && error.message.includes("answered 404"))) throw error;
      this.#hasModels = false;
    }
  }

  registeredModels() {
    return this.#pages("registered-models/search", { max_results: 100 }, "registered_models", registeredModelRecord, "GET");
  }

  async versions(name: string) {
    const question = { filter: `name = '${name.replaceAll("'", "''")}'`, max_results: 10_000 };
    const found = await Array.fromAsync(this.#pages("model-versions/search", question, "model_versions", versionRecord, "GET"));
    return found.filter((version) => version.name === name).sort((a, b) => a.version - b.version);
  }

  history({ info }: SourceRun, key: string) {
    const question = { run_id: info.run_id, metric_key: key, max_results: HISTORY_PAGE };
    return this.#pages("metrics/get-history", question, "metrics", metricRecord, "GET");
  }

  files(uri: string): AsyncIterable<SourceFile> | null {
    const folder = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.+?)\/?$/.exec(uri)?.[1];
    return folder === undefined ? (this.#local?.below(uri) ?? null) : this.#below(folder);
  }

  close(): void {}

  async *#below(folder: string): AsyncGenerator<SourceFile> {
    const waiting = [""];
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      const path = below === "" ? folder : `${folder}/${below}`;
      const answer = await this.#json(`mlflow-artifacts/artifacts?${new URLSearchParams({ path })}`);
      const { files } = z.object({ files: z.array(z.unknown()).default([]) }).parse(answer);
      for (const raw of files) {
        const each = readRecord(fileRecord, raw, `a file of ${path}`, this.#report);
        const name = each?.path.split("/").at(-1) ?? "";
        if (each === undefined || name === "" || name === "." || name === "..") continue;
        const full = below === "" ? name : `${below}/${name}`;
        if (!each.is_dir) yield { path: full, open: () => this.#download(`${folder}/${full}`) };
        else if (full.split("/").length < DEEPEST) waiting.push(full);
        else this.#report(`folder ${path}`, "it lies too deep");
      }
    }
  }

  async #download(path: string): Promise<ReadableStream<Uint8Array>> {
    const name = path.split("/").map(encodeURIComponent).join("/");
    return this.#ask(`mlflow-artifacts/artifacts/${name}`);
  }

  async *#pages<T>(
    path: string,
    question: Record<string, unknown>,
    field: string,
    schema: z.ZodType<T>,
    method: "GET" | "POST" = "POST",
  ): AsyncGenerator<T> {
    const page = z.object({ [field]: z.array(z.unknown()).default([]), next_page_token: z.string().default("") });
    const seen = new Set<string>();
    for (let token = ""; ; ) {
      const asked = { ...question, ...(token !== "" && { page_token: token }) };
      const query = Object.entries(asked).map(([key, value]): [string, string] => [key, String(value)]);
      const answer =
        method === "GET"
          ? await this.#json(`mlflow/${path}?${new URLSearchParams(query)}`)
          : await this.#json(`mlflow/${path}`, JSON.stringify(asked));
      const parsed = page.safeParse(answer);
      if (!parsed.success) throw importErrors.IMPORT_SOURCE_FAILED(`The answer to ${path} is none of MLflow's`);
      for (const [place, raw] of (parsed.data[field] as unknown[]).entries()) {
        const record = readRecord(schema, raw, `${field} ${idIn(raw) ?? place}`, this.#report);
        if (record !== undefined) yield record;
      }
      token = String(parsed.data.next_page_token ?? "");
      if (token === "") return;
      if (seen.has(token)) throw importErrors.IMPORT_SOURCE_FAILED(`${path} gives the same page again and again`);
      seen.add(token);
    }
  }

  async #json(path: string, body?: string): Promise<unknown> {
    const text = await new Response((await this.#ask(path, body)).pipeThrough(atMost(MOST_BYTES))).text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw importErrors.IMPORT_SOURCE_FAILED(`The answer to ${path.split("?", 1)[0]} is no JSON`, { cause });
    }
  }

  /** @throws IMPORT_SOURCE_FAILED */
  async #ask(path: string, body?: string): Promise<ReadableStream<Uint8Array>> {
    const silence = new AbortController();
    const waiting = setTimeout(() => silence.abort(new Error("no answer")), SILENCE_MS);
    const answer = await fetch(`${this.origin}/api/2.0/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...this.#headers, ...(body !== undefined && { "content-type": "application/json" }) },
      redirect: "error",
      signal: silence.signal,
      ...(body !== undefined && { body }),
    }).catch((cause) => {
      clearTimeout(waiting);
      throw importErrors.IMPORT_SOURCE_FAILED(`The source does not answer at ${this.origin}`, { cause });
    });
    if (!answer.ok) {
      clearTimeout(waiting);
      const text = await new Response(answer.body?.pipeThrough(atMost(1_000_000))).text().catch(() => "");
      throw importErrors.IMPORT_SOURCE_FAILED(
        `The source answered ${answer.status} to ${path.split("?", 1)[0]}: ${text.slice(0, 200)}`,
      );
    }
    const whileItComes = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        waiting.refresh();
        controller.enqueue(chunk);
      },
      flush: () => clearTimeout(waiting),
    });
    return (answer.body ?? new Blob([]).stream()).pipeThrough(whileItComes);
  }
}

function authorization(environment: NodeJS.ProcessEnv, user: string, password: string): Record<string, string> {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD } = environment;
  if (token) return { authorization: `Bearer ${token}` };
  const name = user || MLFLOW_TRACKING_USERNAME;
  if (!name) return {};
  const secret = user ? password : (MLFLOW_TRACKING_PASSWORD ?? "");
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` };
}

/** What a record that cannot be read calls itself. */
function idIn(raw: unknown): string | undefined {
  const ids = z.object({ info: z.unknown(), run_id: z.unknown(), experiment_id: z.unknown(), name: z.unknown() }).partial();
  const { info, ...own } = ids.safeParse(raw).data ?? {};
  const found = { ...own, ...ids.safeParse(info).data };
  const id = found.run_id ?? found.experiment_id ?? found.name;
  return typeof id === "string" ? id.slice(0, 100) : undefined;
}

function atMost(most: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > most) controller.error(importErrors.IMPORT_SOURCE_FAILED(`An answer has more than ${most} bytes`));
      else controller.enqueue(chunk);
    },
  });
}
