import { randomUUID } from "node:crypto";
import type { Client } from "../../client/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { headline, show, table } from "../output.ts";

interface ModelsOptions extends ConnectionOptions {
  json?: boolean;
  alias: string;
  reason: string;
}

/** "late-arrival@3" -> name and version; the version is that of `alias` where none is given. */
async function versionOf(client: Client, text: string, alias: string): Promise<{ name: string; version: number }> {
  const [name = "", given] = text.split("@", 2);
  if (given !== undefined && /^\d+$/.test(given)) return { name, version: Number(given) };
  const model = await client.models.get({ name });
  const version = model.aliases[given ?? alias];
  if (version === undefined) throw cliErrors.CLI_ALIAS_UNKNOWN(`${name} has no version with the alias ${given ?? alias}`);
  return { name, version };
}

/** What `text` names; where it names neither version nor alias, the champion, or the newest version of a model that has none. */
async function shownVersion(client: Client, text: string, alias: string): Promise<{ name: string; version: number }> {
  if (text.includes("@")) return versionOf(client, text, alias);
  const { aliases, versions } = await client.models.get({ name: text });
  const version = aliases[alias] ?? (alias === "champion" ? Math.max(...versions.map((each) => each.version)) : undefined);
  if (version === undefined || !Number.isFinite(version))
    throw cliErrors.CLI_ALIAS_UNKNOWN(`${text} has no version with the alias ${alias}`);
  return { name: text, version };
}

type ModelAction = (client: Client, options: ModelsOptions, name: string) => Promise<void>;

const actions: Record<string, ModelAction> = {
  async show(client, options, text) {
    const model = await client.models.get({ name: text.split("@", 1)[0] ?? text });
    show(options.json, model, () =>
      [
        table(
          model.versions.map(({ version, aliases, createdAt, description }) => ({
            version,
            aliases: aliases.join(" "),
            created: createdAt,
            description,
          })),
        ),
        table(
          model.promotions.map(({ at, alias, fromVersion, toVersion, decision, actor, reason }) => ({
            at,
            alias,
            from: fromVersion,
            to: toVersion,
            decision,
            actor,
            reason,
          })),
        ),
      ].join("\n\n"),
    );
  },
  async card(client, options, text) {
    const report = await client.models.report(await shownVersion(client, text, options.alias));
    show(options.json, report, () => report.cardMarkdown);
  },
  async promote(client, options, text) {
    const { name, version } = await versionOf(client, text, "challenger");
    const promotion = await client.models.promote({
      name,
      version,
      alias: options.alias,
      reason: options.reason,
      idempotencyKey: randomUUID(),
    });
    show(options.json, promotion, () => `${name}@${promotion.alias} is now version ${promotion.toVersion}`);
  },
  async rollback(client, options, name) {
    const promotion = await client.models.rollback({
      name,
      alias: options.alias,
      reason: options.reason,
      idempotencyKey: randomUUID(),
    });
    show(options.json, promotion, () => `${name}@${promotion.alias} is version ${promotion.toVersion} again`);
  },
};

export default async function models(options: ModelsOptions, action = "list", name?: string): Promise<void> {
  const act = actions[action];
  if (act === undefined && action !== "list") {
    throw cliErrors.CLI_ACTION_UNKNOWN(`models cannot "${action}"; it can list, ${Object.keys(actions).join(", ")}`);
  }
  if (act !== undefined && name === undefined) throw cliErrors.CLI_ARGUMENT_MISSING(`models ${action} needs a model's name`);
  const { client, close } = await connect(options);
  try {
    if (act !== undefined && name !== undefined) return await act(client, options, name);
    const { items } = await client.models.list();
    const scores = await Promise.all(
      items.map(async ({ name: model, aliases }) => {
        const champion = aliases.champion;
        return champion === undefined ? null : (await client.models.report({ name: model, version: champion })).test;
      }),
    );
    show(options.json, items, () =>
      table(
        items.map((model, i) => ({
          model: model.name,
          versions: model.versions.length,
          champion: model.aliases.champion ?? null,
          challenger: model.aliases.challenger ?? null,
          "on test": headline(scores[i]?.metrics ?? {}),
        })),
      ),
    );
  } finally {
    await close();
  }
}
