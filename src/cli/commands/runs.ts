import { createTracker, leftAddresses, spoolFolder } from "../../client/tracking/index.ts";
import type { RunComparison } from "../../contract/index.ts";
import { type Connection, type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { pointingAt } from "../filter-error.ts";
import { headline, interval, show, table } from "../output.ts";

interface RunsOptions extends ConnectionOptions {
  json?: boolean;
  limit: string;
  filter?: string;
  orderBy?: string;
  experiment?: string;
  deleted?: boolean;
  trials?: boolean;
  parent?: string;
}

type Client = Connection["client"];

const NO_TRIALS = "tags.`orrery.trial` IS NULL";

/** What the options ask for besides the filter: with one, or below a run, trials are no surprise and are listed too. */
function conditions({ parent, trials, filter }: RunsOptions): string[] {
  if (parent !== undefined) return [`parent_run_id = '${parent.replaceAll("'", "''")}'`];
  return trials || filter !== undefined ? [] : [NO_TRIALS];
}

async function list(client: Client, options: RunsOptions): Promise<void> {
  const { filter, orderBy, experiment, deleted, limit } = options;
  const more = conditions(options);
  const whole = filter === undefined ? more.join(" AND ") : more.length === 0 ? filter : [`(${filter})`, ...more].join(" AND ");
  const { items } = await pointingAt(filter, more.length === 0 ? 0 : 1, () =>
    client.runs.list({
      limit,
      view: deleted ? "deleted" : "active",
      ...(whole !== "" && { filter: whole }),
      ...(orderBy !== undefined && { orderBy }),
      ...(experiment !== undefined && { experiment }),
    }),
  );
  show(options.json, items, () =>
    table(
      items.map((run) => ({
        id: run.id,
        name: run.name,
        experiment: run.experiment,
        status: run.status,
        started: run.startedAt,
        score: headline(run.metrics),
      })),
    ),
  );
}

async function showRun(client: Client, options: RunsOptions, id: string): Promise<void> {
  const run = await client.runs.get({ id });
  show(options.json, run, () =>
    [
      `${run.name} (${run.id}) ${run.lifecycle === "deleted" ? "deleted, " : ""}${run.status}, by ${run.actor}, commit ${run.gitCommit ?? "unknown"}${run.gitDiff === null ? "" : " with changes"}`,
      table([
        ...Object.entries(run.metrics).map(([metric, estimate]) => ({ metric, "value [95%]": interval(estimate) })),
        ...Object.entries(run.notFinite).map(([metric, value]) => ({ metric, "value [95%]": value })),
      ]),
      table(Object.entries(run.params).map(([param, value]) => ({ param, value }))),
      table(run.artifacts.map(({ path, bytes, sha256 }) => ({ artifact: path, bytes, sha256: sha256.slice(0, 12) }))),
    ].join("\n\n"),
  );
}

/** Only what differs, a column a run. */
export function comparisonTables({ runs, params, metrics, tags }: RunComparison): string {
  const rows = (
    kind: string,
    compared: readonly { name: string; values: readonly (string | number | null)[]; differs: boolean }[],
  ) =>
    compared
      .filter(({ differs }) => differs)
      .map(({ name, values }) => ({ [kind]: name, ...Object.fromEntries(runs.map(({ id }, i) => [id, values[i] ?? null])) }));
  const shown = [
    table(runs.map(({ id, name, experiment, status, startedAt }) => ({ id, name, experiment, status, started: startedAt }))),
    ...[rows("param", params), rows("metric", metrics), rows("tag", tags)].filter(({ length }) => length > 0).map(table),
  ];
  return shown.length === 1 ? `${shown[0]}\n\nTheir params, metrics and tags are the same.` : shown.join("\n\n");
}

/** Sends what programs on this machine logged and could not send, wherever it was to go. */
async function sync(options: RunsOptions): Promise<void> {
  const sent: string[] = [];
  const waiting: { url: string; error: string }[] = [];
  for (const { url, project } of leftAddresses(spoolFolder())) {
    const tracker = createTracker({ url, ...(project !== null && { project }), patienceMs: 5_000 });
    try {
      sent.push(...(await tracker.sync()));
    } catch (error) {
      waiting.push({ url, error: error instanceof Error ? error.message : String(error) });
    }
  }
  show(options.json, { sent, waiting }, () =>
    [`Sent what was left of ${sent.length} runs.`, ...waiting.map(({ url, error }) => `What is for ${url} waits: ${error}`)].join(
      "\n",
    ),
  );
  if (waiting.length > 0) process.exitCode = 75;
}

const actions: Record<string, (client: Client, options: RunsOptions, ids: readonly string[]) => Promise<void>> = {
  list: (client, options) => list(client, options),
  async show(client, options, ids) {
    for (const id of ids) await showRun(client, options, id);
  },
  async compare(client, options, ids) {
    const compared = await client.runs.compare({ ids: ids.join(",") });
    show(options.json, compared, () => comparisonTables(compared));
  },
  async delete(client, options, ids) {
    for (const id of ids) await client.runs.delete({ id });
    show(
      options.json,
      { deleted: ids },
      () => `Deleted ${ids.join(", ")}; \`orrery runs restore\` brings back until garbage is collected.`,
    );
  },
  async restore(client, options, ids) {
    for (const id of ids) await client.runs.restore({ id });
    show(options.json, { restored: ids }, () => `Restored ${ids.join(", ")}`);
  },
};

/** @throws CLI_ACTION_UNKNOWN, CLI_ARGUMENT_MISSING and what the API answers */
export default async function runs(options: RunsOptions, action = "list", ...ids: string[]): Promise<void> {
  if (action === "sync") return sync(options);
  const work = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (work === undefined)
    throw cliErrors.CLI_ACTION_UNKNOWN(`runs cannot "${action}"; it can ${Object.keys(actions).join(", ")} and sync`);
  const least = action === "compare" ? 2 : action === "list" ? 0 : 1;
  if (ids.length < least)
    throw cliErrors.CLI_ARGUMENT_MISSING(`runs ${action} needs ${least === 1 ? "a run's id" : "the ids of two runs or more"}`);
  const { client, close } = await connect(options);
  try {
    await work(client, options, ids);
  } finally {
    await close();
  }
}
