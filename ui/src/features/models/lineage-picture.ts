import type { SourceDependents, VersionLineage } from "../../../../src/contract/index.ts";

/** Left to right: what data came from, what was read of it, what trained on it, what came out. */
export const LINEAGE_COLUMNS = ["Source", "Data that was read", "Run", "Versions"] as const;

export type LineageTarget =
  | { readonly page: "source"; readonly name: string }
  | { readonly page: "run"; readonly id: string }
  | { readonly page: "version"; readonly model: string; readonly version: number };

export interface LineageNode {
  readonly key: string;
  readonly title: string;
  readonly about: string;
  /** Index into LINEAGE_COLUMNS. */
  readonly column: number;
  /** From 0 in its column. */
  readonly row: number;
  /** The version that the picture is of. */
  readonly shown: boolean;
  readonly target: LineageTarget | null;
}

export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  /** On the way to the version that the picture is of. */
  readonly own: boolean;
}

export interface LineagePicture {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** The most nodes of a column. */
  readonly rows: number;
  /** Versions that depend on the sources and are not drawn. */
  readonly left: number;
}

/** More versions than this cannot be told apart in one picture. */
const MOST_DEPENDENTS = 11;

type Node = Omit<LineageNode, "row">;
const versionKey = (model: string, version: number) => JSON.stringify(["version", model, version]);
const answering = (endpoints: readonly string[]) => endpoints.map((name) => `answers at ${name}`);

/**
 * A version's lineage both ways: back to its sources over run and data, and from those sources to every other version made of them. An edge
 * to another version begins at the data it read where that is drawn, else at the source.
 */
export function lineagePicture(lineage: VersionLineage, dependents: readonly SourceDependents[]): LineagePicture {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, LineageEdge>();
  const connect = (from: string, to: string, own: boolean) => {
    const key = JSON.stringify([from, to]);
    if (!edges.has(key)) edges.set(key, { from, to, own });
  };
  const all = dependents.flatMap(({ source, items }) => items.map((item) => ({ ...item, source })));
  const isOwn = (item: { model: string; version: number }) => item.model === lineage.model && item.version === lineage.version;
  const own = all.find(isOwn);
  const shown = versionKey(lineage.model, lineage.version);
  nodes.set(shown, {
    key: shown,
    title: `${lineage.model} ${lineage.version}`,
    about: ["this version", ...(own === undefined ? [] : [...own.aliases, ...answering(own.endpoints)])].join(", "),
    column: 3,
    shown: true,
    target: null,
  });
  const { run, copyOf } = lineage;
  const runKey = run === null ? null : JSON.stringify(["run", run.id]);
  if (run !== null && runKey !== null) {
    nodes.set(runKey, {
      key: runKey,
      title: run.name,
      about: run.gitCommit === null ? "no commit known" : `commit ${run.gitCommit.slice(0, 12)}`,
      column: 2,
      shown: false,
      target: { page: "run", id: run.id },
    });
    connect(runKey, shown, true);
  }
  if (copyOf !== null) {
    const key = versionKey(copyOf.model, copyOf.version);
    const target = { page: "version", ...copyOf } as const;
    nodes.set(key, { key, title: `${copyOf.model} ${copyOf.version}`, about: "copied from it", column: 3, shown: false, target });
  }
  for (const { source, id, kind, rows } of lineage.data) {
    const [sourceKey, dataKey] = [JSON.stringify(["source", source]), JSON.stringify(["data", source, id])];
    const target = kind === "snapshot" ? ({ page: "source", name: source } as const) : null;
    const about = kind === "snapshot" ? "source" : "data set";
    nodes.set(sourceKey, { key: sourceKey, title: source, about, column: 0, shown: false, target });
    const size = rows === null ? kind : `${kind}, ${rows.toLocaleString("en")} rows`;
    nodes.set(dataKey, { key: dataKey, title: id, about: size, column: 1, shown: false, target: null });
    connect(sourceKey, dataKey, true);
    connect(dataKey, runKey ?? shown, true);
  }
  const others = new Map<string, (typeof all)[number][]>();
  for (const item of all) {
    if (isOwn(item)) continue;
    const key = versionKey(item.model, item.version);
    others.set(key, [...(others.get(key) ?? []), item]);
  }
  for (const [key, items] of [...others].slice(0, MOST_DEPENDENTS)) {
    for (const { model, version, aliases, endpoints, source, snapshot } of items) {
      const about = [...aliases, ...answering(endpoints)].join(", ") || "no alias";
      const target = { page: "version", model, version } as const;
      if (!nodes.has(key)) nodes.set(key, { key, title: `${model} ${version}`, about, column: 3, shown: false, target });
      const dataKey = JSON.stringify(["data", source, snapshot]);
      connect(nodes.has(dataKey) ? dataKey : JSON.stringify(["source", source]), key, false);
    }
  }
  const filled = [0, 0, 0, 0];
  const placed = [...nodes.values()].map((node) => {
    const row = filled[node.column] ?? 0;
    filled[node.column] = row + 1;
    return { ...node, row };
  });
  return {
    nodes: placed,
    edges: [...edges.values()],
    rows: Math.max(...filled),
    left: Math.max(0, others.size - MOST_DEPENDENTS),
  };
}
