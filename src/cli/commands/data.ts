import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Snapshot, SnapshotDiff, SourceExploration } from "../../contract/index.ts";
import { type Suggestion, schemaLines, suggestFiles, suggestQuery } from "../../core/data/index.ts";
import { resolveSecret, secret } from "../../core/definitions/index.ts";
import type { TableEngine } from "../../core/ports/index.ts";
import { type Connection, type ConnectionOptions, connect, stateDirectory } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";
import { profilePage } from "../profile-page.ts";

interface DataOptions extends ConnectionOptions {
  json?: boolean;
  target?: string;
  html?: string;
  name?: string;
  postgres?: string;
  query?: string;
}

type Client = Connection["client"];

const ACTIONS = ["snapshots", "show", "diff", "profile", "validate", "suggest"];

/**
 * `orrery data snapshots|show|diff|profile|validate|suggest`.
 * @throws CLI_ACTION_UNKNOWN, CLI_ARGUMENT_MISSING, CLI_CONTRACT_BROKEN and what the API answers
 */
export default async function data(options: DataOptions, action = "snapshots", name?: string, other?: string): Promise<void> {
  if (!ACTIONS.includes(action))
    throw cliErrors.CLI_ACTION_UNKNOWN(
      `data cannot "${action}"; it can ${ACTIONS.slice(0, -1).join(", ")} and ${ACTIONS.at(-1)}`,
    );
  if (action === "validate") return await validate(options, name);
  if (action === "suggest") return await suggest(options, name);
  const { client, close } = await connect(options);
  try {
    if (action === "snapshots") await snapshots(client, options, name);
    else if (action === "show") await showSnapshot(client, options, given(name, "show needs a source or a snapshot"));
    else if (action === "diff") await diff(client, options, given(name, "diff needs a source or two snapshots"), other);
    else await profile(client, options, given(name, "profile needs a source"));
  } finally {
    await close();
  }
}

function given(name: string | undefined, otherwise: string): string {
  if (name === undefined || name === "") throw cliErrors.CLI_ARGUMENT_MISSING(`data ${otherwise}`);
  return name;
}

async function snapshots(client: Client, { json }: DataOptions, name: string | undefined): Promise<void> {
  const { items } = name === undefined ? await client.data.snapshots() : await client.data.history({ name });
  show(json, items, () =>
    table(
      items.map(({ id, source, rows, quarantined, expectations, erased, asOf }) => ({
        source,
        snapshot: id,
        "as of": asOf,
        rows,
        quarantined,
        "not as expected": expectations.filter(({ kept }) => kept === false).length,
        erased: erased.reduce((sum, { rows }) => sum + rows, 0),
      })),
    ),
  );
}

/** A snapshot by its id, or a source's newest. */
const newestOf = async (client: Client, name: string): Promise<string> => {
  if (name.startsWith("snap-")) return name;
  const { items } = await client.data.history({ name, limit: 1 });
  return given(items[0]?.id, `finds no snapshot of ${name}; take it in with \`orrery run\``);
};

async function showSnapshot(client: Client, { json }: DataOptions, name: string): Promise<void> {
  const snapshot = await client.data.snapshot({ id: await newestOf(client, name) });
  show(json, snapshot, () =>
    [
      `${snapshot.id}: ${snapshot.source} as of ${snapshot.asOf}, ${snapshot.rows} rows, ${snapshot.quarantined} kept apart`,
      table(Object.entries(snapshot.columns).map(([column, type]) => ({ column, type }))),
      reportText(snapshot),
    ].join("\n\n"),
  );
}

/** What broke the contract, what was expected of the rows together, and which columns are other than declared. */
function reportText({ violations, expectations, schema }: Pick<Snapshot, "violations" | "expectations" | "schema">): string {
  const broken = violations.map(({ column, rule, severity, rows, samples }) => ({
    column,
    rule,
    severity,
    rows,
    samples: samples.join(", "),
  }));
  const judged = expectations.map(({ says, severity, kept }) => ({
    expected: says,
    severity,
    result: kept === null ? "not judged" : kept ? "kept" : "broken",
  }));
  return [
    broken.length === 0 ? "Every row keeps its contract." : table(broken),
    ...(judged.length === 0 ? [] : [table(judged)]),
    ...(schema === undefined ? [] : [["Columns that are other than declared:", ...schemaLines(schema)].join("\n")]),
  ].join("\n\n");
}

async function diff(client: Client, { json }: DataOptions, name: string, other: string | undefined): Promise<void> {
  const { items } = other === undefined ? await client.data.history({ name, limit: 2 }) : { items: [] };
  if (other === undefined && items.length < 2)
    throw cliErrors.CLI_ARGUMENT_MISSING(`data diff compares two snapshots, and ${name} has ${items.length}`);
  const [id, later] = other === undefined ? [items[1]?.id ?? "", items[0]?.id ?? ""] : [name, other];
  const found = await client.data.diff({ id, other: later });
  show(json, found, () => diffText(found));
}

function diffText({ source, from, to, added, removed, retyped, nullability }: SnapshotDiff): string {
  const percent = (share: number) =>
    share === 0 ? "never null" : share >= 1 ? "may be null" : `null in at most ${share * 100}%`;
  const lines = [
    ...added.map(({ column, type }) => `+ ${column}: ${type}`),
    ...removed.map(
      ({ column, type, perhaps }) => `- ${column}: ${type}${perhaps === null ? "" : ` (perhaps it is ${perhaps} now)`}`,
    ),
    ...retyped.map((each) => `~ ${each.column}: ${each.from} -> ${each.to}`),
    ...nullability.map((each) => `~ ${each.column}: ${percent(each.from)} -> ${percent(each.to)}`),
  ];
  return [
    `${source}: ${from.id} -> ${to.id}`,
    `rows ${from.rows} -> ${to.rows}, kept apart ${from.quarantined} -> ${to.quarantined}`,
    ...(lines.length === 0 ? ["The columns are the same."] : lines),
  ].join("\n");
}

async function profile(client: Client, { json, target, html }: DataOptions, name: string): Promise<void> {
  const found = await client.data.exploration({ name, ...(target === undefined ? {} : { target }) });
  if (html !== undefined) {
    await writeFile(html, profilePage(found));
    return show(json, { file: resolve(html) }, () => `Written to ${html}`);
  }
  show(json, found, () => profileText(found));
}

const STRONGEST = 10;

function profileText({ profile, missingness, correlations, target, sampledRows }: SourceExploration): string {
  const figure = (value: number | string | null) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);
  const columns = profile.columns.map(({ name, type, nulls, distinct, min, mean, max, top }) => ({
    column: name,
    type,
    null: nulls,
    "distinct, about": distinct,
    least: figure(min),
    mean: figure(mean),
    greatest: figure(max),
    frequent: top
      .slice(0, 3)
      .map(({ value }) => value.slice(0, 20))
      .join(", "),
  }));
  const pairs = correlations
    .filter(({ method }) => method === "spearman")
    .flatMap(({ features, values }) =>
      features.flatMap((a, i) => features.slice(i + 1).map((b, j) => ({ a, b, spearman: values[i][i + 1 + j] }))),
    )
    .filter((pair) => pair.spearman !== null)
    .sort((a, b) => Math.abs(b.spearman ?? 0) - Math.abs(a.spearman ?? 0))
    .slice(0, STRONGEST);
  const related = (target?.relations ?? []).slice(0, STRONGEST).map(({ feature, explained, spearman, auc }) => ({
    column: feature,
    explains: figure(explained),
    spearman: figure(spearman),
    "AUC alone": figure(auc),
  }));
  return [
    `${profile.source}: ${profile.rows} rows${sampledRows < profile.rows ? `; relations are of ${sampledRows} of them` : ""}`,
    table(columns),
    ...(missingness.patterns.length === 0
      ? []
      : [
          table(
            missingness.patterns
              .slice(0, STRONGEST)
              .map((each) => ({ "null together": each.columns.join(", "), rows: each.rows })),
          ),
        ]),
    ...(pairs.length === 0 ? [] : [table(pairs.map((pair) => ({ ...pair, spearman: figure(pair.spearman) })))]),
    ...(target === null
      ? []
      : [`What goes with ${target.column} (${target.task}, known in ${target.rows} rows):`, table(related)]),
  ].join("\n\n");
}

/** Works on a folder that holds no project too. */
async function suggest(options: DataOptions, path: string | undefined): Promise<void> {
  const isQuery = options.postgres !== undefined || options.query !== undefined;
  if (!isQuery) given(path, "suggest needs a file, a folder, a pattern or an address, or --postgres and --query");
  const { openDuckDb } = await import("../../adapters/tables/duckdb.ts");
  const scratch = await mkdtemp(join(tmpdir(), "orrery-suggest-"));
  const engine = await openDuckDb({ tempDirectory: join(scratch, "duckdb") });
  try {
    if (isQuery) {
      const found = await suggestedQuery(engine, options, scratch);
      return show(options.json, { ...found }, () => found.text);
    }
    const { openSourceInputs } = await import("../../adapters/sources/open-inputs.ts");
    const { text, suggested, others, files, name } = await suggestFiles(engine, path ?? "", {
      projectDirectory: resolve(options.project),
      tmpDirectory: scratch,
      inputs: openSourceInputs(),
      ...(options.name === undefined ? {} : { name: options.name }),
    });
    show(options.json, { name, files, others, text, suggested }, () =>
      [text, ...others.map(({ file, differs }) => `// ${file} was not looked at: it ${differs}`)].join("\n"),
    );
  } finally {
    engine.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a definition takes the address from where it was given itself: it may hold a password. */
const VARIABLE = "DATABASE_URL";

async function suggestedQuery(engine: TableEngine, { postgres, query, name }: DataOptions, scratch: string): Promise<Suggestion> {
  const where = given(postgres, "suggest needs --postgres with --query: a variable that holds the address, or the address");
  const { openSourceInputs } = await import("../../adapters/sources/open-inputs.ts");
  const isAddress = where.includes(":");
  return await suggestQuery(
    engine,
    {
      url: isAddress ? where : resolveSecret(secret.env(where)),
      query: given(query, "suggest needs --query with --postgres: one SELECT"),
      variable: isAddress ? VARIABLE : where,
      ...(name === undefined ? {} : { name }),
    },
    { reader: openSourceInputs().postgres, tmpDirectory: scratch },
  );
}

/** Takes in what is delivered now, in a scratch folder, and tells how it keeps its contract. */
async function validate(options: DataOptions, name: string | undefined): Promise<void> {
  const { validateSources } = await import("../validate-sources.ts");
  const results = await validateSources(resolve(options.project), name, stateDirectory(options));
  show(options.json, results, () =>
    results
      .map(({ source, error, report }) =>
        [`${source}:`, error === null ? reportText(report) : `${error.message} [${error.code}]\n  ${error.hint}`].join("\n"),
      )
      .join("\n\n"),
  );
  const broken = results.filter(({ isSound }) => !isSound).map(({ source }) => source);
  if (broken.length > 0) throw cliErrors.CLI_CONTRACT_BROKEN(`What ${broken.join(", ")} delivers breaks its contract`);
}
