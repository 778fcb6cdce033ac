import { type ConnectionOptions, connect } from "../connection.ts";
import { show, table } from "../output.ts";
import { timeAgo } from "../time-option.ts";

interface AuditOptions extends ConnectionOptions {
  json?: boolean;
  since?: string;
  actor?: string;
  limit: string;
}

export default async function audit({ since, actor, limit, json, ...where }: AuditOptions): Promise<void> {
  const { client, close } = await connect(where);
  try {
    const { items } = await client.audit.list({
      limit,
      ...(since !== undefined && { since: timeAgo(since) }),
      ...(actor !== undefined && { actor }),
    });
    show(json, items, () =>
      table(
        items.map((entry) => ({
          at: entry.at,
          actor: entry.actor,
          action: entry.action,
          target: entry.target,
          project: entry.project,
        })),
      ),
    );
  } finally {
    await close();
  }
}
