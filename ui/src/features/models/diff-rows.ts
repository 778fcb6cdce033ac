import type { VersionDiff } from "../../../../src/contract/index.ts";
import { formatMetric, metricLabel } from "../../components/format.ts";

export interface DiffRow {
  readonly key: string;
  /** null: the version has none. */
  readonly from: string | null;
  readonly to: string | null;
  /** How a metric moved, with its sign. */
  readonly by?: string;
}

export interface DiffSection {
  readonly title: string;
  readonly rows: readonly DiffRow[];
}

const shown = (value: number | string | null): string | null => (typeof value === "number" ? formatMetric(value) : value);
const signed = (by: number): string => (by > 0 ? `+${formatMetric(by)}` : formatMetric(by));
const lines = (diff: string | null): string | null => {
  if (diff === null) return null;
  const count = diff.split("\n").filter((line) => /^[+-](?![+-]{2} )/.test(line)).length;
  return `${count} changed ${count === 1 ? "line" : "lines"} that were not committed`;
};

/** What differs between two versions, a section a kind; those where nothing does are left out. */
export function diffSections(diff: VersionDiff): DiffSection[] {
  const { commit, uncommitted } = diff.code;
  const sections: DiffSection[] = [
    {
      title: "Metrics",
      rows: diff.metrics.map(({ key, from, to, by }) => ({
        key: metricLabel(key),
        from: shown(from),
        to: shown(to),
        ...(by !== null && { by: signed(by) }),
      })),
    },
    { title: "Algorithm", rows: diff.algorithm },
    { title: "Params", rows: diff.params },
    { title: "Data", rows: [...diff.data, ...(diff.trainingSet === null ? [] : [{ ...diff.trainingSet, key: "training set" }])] },
    {
      title: "Features",
      rows: [
        ...diff.features.added.map((key) => ({ key, from: null, to: "added" })),
        ...diff.features.removed.map((key) => ({ key, from: "was used", to: null })),
        ...diff.features.changed.map(({ feature, from, to }) => ({ key: feature, from, to })),
      ],
    },
    {
      title: "Code",
      rows: [
        ...(commit === null ? [] : [{ ...commit, key: "commit" }]),
        ...(uncommitted.from === null && uncommitted.to === null
          ? []
          : [{ key: "uncommitted", from: lines(uncommitted.from), to: lines(uncommitted.to) }]),
      ],
    },
    { title: "Tags", rows: diff.tags },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

/** What cannot be said, in words; "" when everything can. */
export function unknownFeatures({ features: { unknown } }: VersionDiff): string {
  if (unknown.length === 0) return "";
  return unknown.length === 1
    ? `The features of version ${unknown[0]} are not known: another tool trained it, or its package is not here.`
    : `The features of versions ${unknown.join(" and ")} are not known: other tools trained them, or their packages are not here.`;
}
