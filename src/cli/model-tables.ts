import type { RegisteredModel, SourceDependents, VersionDiff, VersionLineage } from "../contract/index.ts";
import { table } from "./output.ts";

type Cell = string | number | null;

const titled = (title: string, rows: readonly Readonly<Record<string, Cell>>[]): string[] =>
  rows.length === 0 ? [] : [`${title}\n${table(rows)}`];

export const versionsTable = ({ versions }: RegisteredModel): string =>
  table(
    versions.map(({ version, aliases, stage, createdAt, actor, description }) => ({
      version,
      aliases: aliases.join(" "),
      stage: stage === "None" ? null : stage,
      created: createdAt,
      by: actor,
      description,
    })),
  );

export const promotionsTable = (promotions: RegisteredModel["promotions"]): string =>
  table(
    promotions.map(({ at, alias, fromVersion, toVersion, decision, actor, reason }) => ({
      at,
      alias,
      from: fromVersion,
      to: decision === "removed" ? null : toVersion,
      decision,
      actor,
      reason,
    })),
  );

/** Every decision with what its gate said. */
export function historyText(
  items: readonly (RegisteredModel["promotions"][number] & { readonly gate: RegisteredModel["gates"][number] | null })[],
): string {
  if (items.length === 0) return "(nothing yet)";
  return items
    .map(({ gate, ...promotion }) => {
      const verdicts = (gate?.verdicts ?? []).map(({ text, passed, waiting, detail }) => {
        const said = passed === null ? (waiting ? "waiting" : "undefined") : passed ? "passed" : "failed";
        return `    ${said.padEnd(9)}  ${text}${detail === "" ? "" : `: ${detail}`}`;
      });
      return [promotionsTable([promotion]).split("\n")[1] ?? "", ...verdicts].join("\n");
    })
    .join("\n");
}

export function diffText(diff: VersionDiff): string {
  const [from, to] = [`version ${diff.from}`, `version ${diff.to}`];
  const rows = (changes: readonly { readonly key: string; readonly from: Cell; readonly to: Cell }[], name: string) =>
    changes.map((change) => ({ [name]: change.key, [from]: change.from, [to]: change.to }));
  const { added, removed, changed, unknown } = diff.features;
  const features = [
    ...added.map((feature) => ({ feature, [from]: null, [to]: "added" })),
    ...removed.map((feature) => ({ feature, [from]: "there", [to]: null })),
    ...changed.map((change) => ({ feature: change.feature, [from]: change.from, [to]: change.to })),
  ];
  const code = [
    ...(diff.code.commit === null ? [] : [diff.code.commit]),
    ...(diff.trainingSet === null ? [] : [diff.trainingSet]),
    ...diff.algorithm,
  ];
  const gates = [diff.gates.from, diff.gates.to].flatMap((gate) =>
    (gate?.verdicts ?? []).map(({ text, passed, waiting, observed }) => ({
      version: gate?.version ?? null,
      criterion: text,
      verdict: passed === null ? (waiting ? "waiting" : "undefined") : passed ? "passed" : "failed",
      observed,
    })),
  );
  const parts = [
    ...titled("Params", rows(diff.params, "param")),
    ...titled(
      "Metrics",
      diff.metrics.map((metric) => ({ metric: metric.key, [from]: metric.from, [to]: metric.to, difference: metric.by })),
    ),
    ...titled("Data", rows(diff.data, "source")),
    ...titled("Features", features),
    ...titled("What was trained", rows(code, "of")),
    ...titled("Tags", rows(diff.tags, "tag")),
    ...titled("Gates", gates),
    ...unknown.map((version) => `The features of version ${version} are not known: its package is not here.`),
    ...[[diff.from, diff.code.uncommitted.from] as const, [diff.to, diff.code.uncommitted.to] as const].flatMap(
      ([version, text]) => (text === null ? [] : [`Uncommitted changes that version ${version} was trained with\n${text}`]),
    ),
  ];
  return parts.length === 0 ? `${from} and ${to} are alike` : parts.join("\n\n");
}

export function lineageText(lineage: VersionLineage): string {
  const { run, loggedModel, copyOf, data, erased, inputModels } = lineage;
  return [
    `${lineage.model}@${lineage.version}`,
    ...(copyOf === null ? [] : [`  copy of ${copyOf.model}@${copyOf.version}`]),
    ...(loggedModel === null ? [] : [`  logged model ${loggedModel.id} (${loggedModel.name})`]),
    run === null
      ? "  no run is known of it"
      : `  run ${run.id} (${run.name}), commit ${run.gitCommit ?? "unknown"}, started ${run.startedAt}`,
    ...inputModels.map((id) => `    started from the model ${id}`),
    ...data.map(
      ({ source, id, kind, asOf, rows }) =>
        `    ${kind} ${id} of ${source === "" ? "a source that is not on record" : source}${asOf === null ? "" : `, as of ${asOf}`}${rows === null ? "" : `, ${rows} rows`}`,
    ),
    ...erased.map(({ at, rows }) => `  no longer reproducible: an erasure of ${at.slice(0, 10)} took ${rows} rows`),
  ].join("\n");
}

export const dependentsTable = ({ items }: SourceDependents): string =>
  table(
    items.map(({ model, version, aliases, endpoints, snapshot, runId }) => ({
      model,
      version,
      aliases: aliases.join(" "),
      endpoints: endpoints.join(" "),
      snapshot,
      run: runId,
    })),
  );
