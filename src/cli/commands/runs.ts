import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { headline, interval, show, table } from "../output.ts";

export default async function runs(
  options: ConnectionOptions & { json?: boolean; limit: string; trials?: boolean; parent?: string },
  action = "list",
  id?: string,
): Promise<void> {
  if (action !== "list" && action !== "show") throw cliErrors.CLI_ACTION_UNKNOWN(`runs cannot "${action}"; it can list and show`);
  if (action === "show" && id === undefined) throw cliErrors.CLI_ARGUMENT_MISSING("runs show needs a run's id");
  const { client, close } = await connect(options);
  try {
    if (id !== undefined) {
      const run = await client.runs.get({ id });
      show(options.json, run, () =>
        [
          `${run.name} (${run.id}) ${run.status}, by ${run.actor}, commit ${run.gitCommit ?? "unknown"}${run.gitDiff === null ? "" : " with changes"}`,
          table(Object.entries(run.metrics).map(([metric, estimate]) => ({ metric, "value [95%]": interval(estimate) }))),
          table(Object.entries(run.params).map(([param, value]) => ({ param, value }))),
          table(run.artifacts.map(({ path, bytes, sha256 }) => ({ artifact: path, bytes, sha256: sha256.slice(0, 12) }))),
        ].join("\n\n"),
      );
      return;
    }
    const { items } = await client.runs.list({
      limit: options.limit,
      trials: options.trials ? "show" : "hide",
      ...(options.parent !== undefined && { parentRunId: options.parent }),
    });
    show(options.json, items, () =>
      table(
        items.map((run) => ({
          id: run.id,
          name: run.name,
          status: run.status,
          started: run.startedAt,
          score: headline(run.metrics),
        })),
      ),
    );
  } finally {
    await close();
  }
}
