import { type Connection, type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { pointingAt } from "../filter-error.ts";
import { show, table } from "../output.ts";

interface ExperimentsOptions extends ConnectionOptions {
  json?: boolean;
  limit: string;
  filter?: string;
  deleted?: boolean;
}

type Client = Connection["client"];

async function list(client: Client, { json, limit, filter, deleted }: ExperimentsOptions): Promise<void> {
  const { items } = await pointingAt(filter, 0, () =>
    client.experiments.list({ limit, view: deleted ? "deleted" : "active", ...(filter !== undefined && { filter }) }),
  );
  show(json, items, () =>
    table(items.map(({ id, name, createdAt, updatedAt }) => ({ id, name, created: createdAt, changed: updatedAt }))),
  );
}

/** The one of a name that was deleted last, also where another has the name by now; where none was, what the name stands for. */
async function deletedNamed(client: Client, name: string): Promise<{ readonly id: string }> {
  const filter = `name = '${name.replaceAll("'", "''")}'`;
  const { items } = await client.experiments.list({ view: "deleted", filter, orderBy: "last_update_time DESC", limit: 1 });
  return items[0] ?? client.experiments.named({ name });
}

/** @throws CLI_ACTION_UNKNOWN, CLI_ARGUMENT_MISSING and what the API answers */
export default async function experiments(options: ExperimentsOptions, action = "list", name?: string): Promise<void> {
  if (action !== "list" && action !== "delete" && action !== "restore")
    throw cliErrors.CLI_ACTION_UNKNOWN(`experiments cannot "${action}"; it can list, delete and restore`);
  if (action !== "list" && name === undefined)
    throw cliErrors.CLI_ARGUMENT_MISSING(`experiments ${action} needs an experiment's name`);
  const { client, close } = await connect(options);
  try {
    if (name === undefined || action === "list") return await list(client, options);
    const { id } = action === "restore" ? await deletedNamed(client, name) : await client.experiments.named({ name });
    if (action === "delete") await client.experiments.delete({ id });
    else await client.experiments.restore({ id });
    const done = action === "delete" ? "Deleted" : "Restored";
    show(options.json, { id, name, action }, () => `${done} experiment ${name} with its runs`);
  } finally {
    await close();
  }
}
