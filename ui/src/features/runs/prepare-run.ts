import type { Run } from "../../../../src/contract/index.ts";
import { isInternalTag } from "./columns.ts";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

const byKey = (a: Tag, b: Tag) => (a.key < b.key ? -1 : 1);

/** Of a table of texts, in the order of its keys. */
export const pairsOf = (table: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(table)
    .map(([key, value]) => ({ key, value }))
    .sort(byKey);

/** People's tags, and those that programs write for themselves. */
export function splitTags(tags: Readonly<Record<string, string>>): { own: Tag[]; programs: Tag[] } {
  const all = pairsOf(tags).filter(({ key }) => key !== NOTE);
  return { own: all.filter(({ key }) => !isInternalTag(key)), programs: all.filter(({ key }) => isInternalTag(key)) };
}

/** The table of people's tags alone. */
export const ownTags = (tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(splitTags(tags).own.map(({ key, value }) => [key, value]));

/** Where MLflow's clients keep what a person wrote about a run, in Markdown. */
const NOTE = "mlflow.note.content";
export const noteOf = ({ tags }: Pick<Run, "tags">): string => tags[NOTE] ?? "";

export interface DatasetRow {
  readonly key: string;
  readonly name: string;
  readonly digest: string;
  readonly context: string;
  readonly source: string;
  readonly shape: string;
}

const CONTEXT = "mlflow.data.context";

/** The number of rows where the profile says it, as MLflow's clients write it: {"num_rows": 100, …}. */
function rowsOf(profile: string | null): string {
  try {
    const told: unknown = JSON.parse(profile ?? "null");
    const rows = typeof told === "object" && told !== null && "num_rows" in told ? told.num_rows : undefined;
    return typeof rows === "number" ? `${rows.toLocaleString("en")} rows` : "";
  } catch {
    return "";
  }
}

export const datasetRows = (datasets: Run["datasets"]): DatasetRow[] =>
  datasets.map(({ dataset: { name, digest, sourceType, source, profile }, tags }) => ({
    key: `${name} ${digest}`,
    name,
    digest,
    context: tags[CONTEXT] ?? "",
    source: source === "" ? sourceType : `${sourceType}: ${source}`,
    shape: rowsOf(profile),
  }));

/** What the server is asked for around a run. */
export const childrenFilter = (id: string): string => `parent_run_id = '${id.replaceAll("'", "''")}'`;
export const modelsFilter = (id: string): string => `source_run_id = '${id.replaceAll("'", "''")}'`;

/** Metrics whose names hold the text, letters of either case alike. */
export const metricsNamed = (names: readonly string[], text: string): string[] =>
  names.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
