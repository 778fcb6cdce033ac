import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Client } from "../../client/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { modelVersion, shownVersion } from "../model-version.ts";
import { headline, show, table } from "../output.ts";

interface ModelsOptions extends ConnectionOptions {
  json?: boolean;
  alias: string;
  reason: string;
  to?: string;
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
    const report = await client.models.report(await modelVersion(client, text, shownVersion(options.alias)));
    show(options.json, report, () => report.cardMarkdown);
  },
  async export(client, options, text) {
    if (options.to === undefined) throw cliErrors.CLI_ARGUMENT_MISSING("models export needs --to and a file's name");
    const { content, ...file } = await client.models.onnx(await modelVersion(client, text, shownVersion(options.alias)));
    const path = resolve(options.to);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(content, "base64"));
    show(options.json, { ...file, path }, () => `${file.model}@${file.version} is in ${path} (${file.bytes} bytes)`);
  },
  async promote(client, options, text) {
    const { name, version } = await modelVersion(client, text, ({ aliases }) => aliases.challenger);
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
