import type { Micros } from "../time.ts";
import type { Gate } from "./gates.ts";

/** What is known of a version; whoever asks loads it. */
export interface VersionFacts {
  readonly version: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  /** Last values. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Snapshot id by source, digest by data set. */
  readonly data: Readonly<Record<string, string>>;
  /** sha256 of the training set; null where none is kept. */
  readonly trainingSet: string | null;
  /** Type and definition of each feature; null where the version's package is not here. */
  readonly features: Readonly<Record<string, string>> | null;
  /** "candidate", "model type" and the like. */
  readonly algorithm: Readonly<Record<string, string>>;
  readonly commit: string | null;
  /** Diff of a dirty tree against the commit. */
  readonly uncommitted: string | null;
  readonly trainedAt: Micros | null;
  /** The newest. */
  readonly gate: Gate | null;
}

export interface Change<Value> {
  readonly key: string;
  /** null where the version has none. */
  readonly from: Value | null;
  readonly to: Value | null;
}

export interface VersionDiff {
  readonly from: number;
  readonly to: number;
  readonly params: readonly Change<string>[];
  /** `by` is to minus from, null where one of them is not a finite number. */
  readonly metrics: readonly (Change<number> & { readonly by: number | null })[];
  readonly tags: readonly Change<string>[];
  readonly data: readonly Change<string>[];
  readonly trainingSet: Change<string> | null;
  readonly features: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly { readonly feature: string; readonly from: string; readonly to: string }[];
    /** Versions whose features are not known; then nothing is said of features. */
    readonly unknown: readonly number[];
  };
  readonly code: {
    readonly commit: Change<string> | null;
    readonly uncommitted: { readonly from: string | null; readonly to: string | null };
  };
  readonly algorithm: readonly Change<string>[];
  readonly gates: { readonly from: Gate | null; readonly to: Gate | null };
}

/** What differs between two versions, by key; what is the same in both is left out, but for the gates. */
export function diffVersions(from: VersionFacts, to: VersionFacts): VersionDiff {
  return {
    from: from.version,
    to: to.version,
    params: changes(from.params, to.params),
    metrics: changes(from.metrics, to.metrics).map((change) => ({ ...change, by: difference(change) })),
    tags: changes(from.tags, to.tags),
    data: changes(from.data, to.data),
    trainingSet: single("training set", from.trainingSet, to.trainingSet),
    features: featureChanges(from, to),
    code: {
      commit: single("commit", from.commit, to.commit),
      uncommitted: { from: from.uncommitted, to: to.uncommitted },
    },
    algorithm: changes(from.algorithm, to.algorithm),
    gates: { from: from.gate, to: to.gate },
  };
}

/** In the order of keys' code points. */
function changes<Value extends string | number>(
  from: Readonly<Record<string, Value>>,
  to: Readonly<Record<string, Value>>,
): Change<Value>[] {
  const before = new Map(Object.entries(from));
  const after = new Map(Object.entries(to));
  return [...new Set([...before.keys(), ...after.keys()])]
    .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .map((key) => ({ key, from: before.get(key) ?? null, to: after.get(key) ?? null }))
    .filter((change) => !Object.is(change.from, change.to));
}

const difference = ({ from, to }: Change<number>): number | null => {
  const by = from === null || to === null ? Number.NaN : to - from;
  return Number.isFinite(by) ? by : null;
};

const single = (key: string, from: string | null, to: string | null): Change<string> | null =>
  from === to ? null : { key, from, to };

function featureChanges(from: VersionFacts, to: VersionFacts): VersionDiff["features"] {
  const unknown = [from, to].filter(({ features }) => features === null).map(({ version }) => version);
  if (from.features === null || to.features === null) return { added: [], removed: [], changed: [], unknown };
  const all = changes(from.features, to.features);
  return {
    added: all.filter((change) => change.from === null).map(({ key }) => key),
    removed: all.filter((change) => change.to === null).map(({ key }) => key),
    changed: all.flatMap(({ key, from: was, to: is }) =>
      was === null || is === null ? [] : [{ feature: key, from: was, to: is }],
    ),
    unknown,
  };
}
