import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import type { Client } from "../../client/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { pointingAt } from "../filter-error.ts";
import { dependentsTable, diffText, historyText, lineageText, promotionsTable, versionsTable } from "../model-tables.ts";
import { modelVersion, newestVersion, shownVersion } from "../model-version.ts";
import { headline, show, table } from "../output.ts";

interface ModelsOptions extends ConnectionOptions {
  json?: boolean;
  alias: string;
  reason: string;
  to?: string;
  format: string;
  limit: string;
  filter?: string;
  orderBy?: string;
}

type ModelAction = (client: Client, options: ModelsOptions, name: string, ...more: readonly string[]) => Promise<void>;

/** "churn" of "churn@3". */
const nameOf = (text: string) => text.split("@", 1)[0] ?? text;

/** "churn@3" is a version, "churn" the model; an alias would be too easily another version than was meant. */
function modelOrVersion(text: string): { readonly name: string; readonly version: number | null } {
  const [name = "", given] = text.split("@", 2);
  if (given === undefined) return { name, version: null };
  if (!/^\d+$/.test(given)) throw cliErrors.CLI_ARGUMENT_MISSING(`Say the version's number: ${name}@<number>, not ${text}`);
  return { name, version: Number(given) };
}

/** @throws CLI_ARGUMENT_MISSING */
function versionNumber(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text))
    throw cliErrors.CLI_ARGUMENT_MISSING("models diff needs a model and two of its versions' numbers");
  return Number(text);
}

const actions: Record<string, ModelAction> = {
  async show(client, options, text) {
    const model = await client.models.get({ name: nameOf(text) });
    show(options.json, model, () => [versionsTable(model), promotionsTable(model.promotions)].join("\n\n"));
  },
  async history(client, options, text) {
    const { items } = await client.models.history({ name: nameOf(text) });
    show(options.json, items, () => historyText(items));
  },
  async diff(client, options, text, from, to) {
    const diff = await client.models.diff({ name: nameOf(text), from: versionNumber(from), to: versionNumber(to) });
    show(options.json, diff, () => diffText(diff));
  },
  async lineage(client, options, text) {
    const lineage = await client.models.lineage(await modelVersion(client, text, shownVersion(options.alias)));
    show(options.json, lineage, () => lineageText(lineage));
  },
  async dependents(client, options, source) {
    const dependents = await client.models.dependents({ name: source });
    show(options.json, dependents, () => dependentsTable(dependents));
  },
  async card(client, options, text) {
    const report = await client.models.report(await modelVersion(client, text, shownVersion(options.alias)));
    show(options.json, report, () => report.cardMarkdown);
  },
  async export(client, options, text) {
    if (options.to === undefined) throw cliErrors.CLI_ARGUMENT_MISSING("models export needs --to and a file's name");
    if (options.format === "mlflow") return exportFolder(client, options, text, resolve(options.to));
    if (options.format !== "onnx")
      throw cliErrors.CLI_ARGUMENT_MISSING(`models export writes onnx or mlflow, not "${options.format}"`);
    const { content, ...file } = await client.models.onnx(await modelVersion(client, text, shownVersion(options.alias)));
    const path = resolve(options.to);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(content, "base64"));
    show(options.json, { ...file, path }, () => `${file.model}@${file.version} is in ${path} (${file.bytes} bytes)`);
  },
  async approve(client, options, text) {
    const version = await modelVersion(client, text, newestVersion);
    const outcome = await client.models.approve({ ...version, reason: options.reason });
    const { promotion } = outcome;
    show(options.json, outcome, () =>
      [
        `version ${version.version} of ${version.name} is approved by ${outcome.approval.actor}`,
        promotion === null
          ? "it is not promoted by this"
          : `${version.name}@${promotion.alias} is now version ${promotion.toVersion}`,
      ].join("; "),
    );
  },
  async decline(client, options, text) {
    const version = await modelVersion(client, text, newestVersion);
    const approval = await client.models.decline({ ...version, reason: options.reason });
    show(options.json, approval, () => `version ${version.version} of ${version.name} is declined by ${approval.actor}`);
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
  async rename(client, options, name, newName) {
    if (newName === undefined) throw cliErrors.CLI_ARGUMENT_MISSING("models rename needs a model's name and its new one");
    const model = await client.models.update({ name, newName });
    show(options.json, model, () => `${name} is now ${model.name}`);
  },
  async delete(client, options, text) {
    const { name, version } = modelOrVersion(text);
    const done = version === null ? await client.models.delete({ name }) : await client.models.deleteVersion({ name, version });
    show(options.json, done, () => `${text} is deleted; orrery models restore ${text} brings it back until garbage collection`);
  },
  async restore(client, options, text) {
    const { name, version } = modelOrVersion(text);
    const restored =
      version === null ? await client.models.restore({ name }) : await client.models.restoreVersion({ name, version });
    show(options.json, restored, () => `${text} is there again`);
  },
};

/** The folder that MLflow loads. What a server names is never written outside of it. */
async function exportFolder(client: Client, options: ModelsOptions, text: string, folder: string): Promise<void> {
  const found = await client.models.folder(await modelVersion(client, text, shownVersion(options.alias)));
  const files = found.files.map(({ path, content }) => ({ to: resolve(folder, path), content }));
  const outside = files.find(({ to }) => !to.startsWith(folder + sep));
  if (outside !== undefined) throw cliErrors.CLI_PATH_REFUSED(`The server names a file outside of the folder: ${outside.to}`);
  for (const { to, content } of files) {
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, Buffer.from(content, "base64"));
  }
  const summary = { model: found.model, version: found.version, path: folder, files: found.files.map(({ path }) => path) };
  show(options.json, summary, () => `${found.model}@${found.version} is in ${folder} (${files.length} files)`);
}

async function list(client: Client, options: ModelsOptions): Promise<void> {
  const { filter, orderBy, limit } = options;
  const { items } = await pointingAt(filter, 0, () =>
    client.models.list({ limit, ...(filter !== undefined && { filter }), ...(orderBy !== undefined && { orderBy }) }),
  );
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
}

export default async function models(options: ModelsOptions, action = "list", name?: string, ...more: string[]): Promise<void> {
  const act = actions[action];
  if (act === undefined && action !== "list") {
    throw cliErrors.CLI_ACTION_UNKNOWN(`models cannot "${action}"; it can list, ${Object.keys(actions).join(", ")}`);
  }
  if (act !== undefined && name === undefined) throw cliErrors.CLI_ARGUMENT_MISSING(`models ${action} needs a name`);
  const { client, close } = await connect(options);
  try {
    if (act !== undefined && name !== undefined) await act(client, options, name, ...more);
    else await list(client, options);
  } finally {
    await close();
  }
}
