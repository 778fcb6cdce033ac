import type { FeatureReference, FeatureViewDefinition, OnDemandDefinition, SourceDefinition } from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";
import { codeHash, onDemandCode, recalledFunction } from "./on-demand.ts";

/** A source as far as its snapshots are read by it; where its rows come from is none of it. */
type RecordedSource = Pick<SourceDefinition, "name" | "key" | "eventTime" | "availability" | "deleted" | "contracts">;

interface RecordedView extends Omit<FeatureViewDefinition, "kind" | "source" | "alias"> {
  readonly source: string;
  readonly alias?: { readonly of: RecordedView; readonly fields: Readonly<Record<string, string>> };
}

interface RecordedOnDemand extends Omit<OnDemandDefinition, "kind" | "inputs" | "compute"> {
  readonly inputs: readonly RecordedReference[];
  /** Source text of its function, and sha256 of it. */
  readonly code: string;
  readonly sha256: string;
}

/** A feature, with the name of the view that it is of, or of its on-demand function. */
interface RecordedReference extends Omit<FeatureReference, "from"> {
  readonly from: { readonly view: string } | { readonly onDemand: string };
}

/** Features with all that they are computed by, as JSON. */
export interface RecordedFeatures {
  readonly sources: Readonly<Record<string, RecordedSource>>;
  readonly views: Readonly<Record<string, RecordedView>>;
  readonly onDemand: Readonly<Record<string, RecordedOnDemand>>;
  readonly features: readonly RecordedReference[];
}

/**
 * Writes down what features are computed by, so that they can be computed when the project says something else.
 * @param others sources beside those of the views
 * @throws FEATURE_ON_DEMAND_SOURCE
 */
export function recordFeatures(features: readonly FeatureReference[], others: readonly SourceDefinition[]): RecordedFeatures {
  const sources: Record<string, RecordedSource> = {};
  const views: Record<string, RecordedView> = {};
  const onDemand: Record<string, RecordedOnDemand> = {};
  const noteSource = ({ name, key, eventTime, availability, deleted, contracts }: SourceDefinition): string => {
    sources[name] = {
      name,
      key,
      availability,
      contracts,
      ...(eventTime === undefined ? {} : { eventTime }),
      ...(deleted === undefined ? {} : { deleted }),
    };
    return name;
  };
  const recordView = ({ kind: _, source, alias, ...view }: FeatureViewDefinition): RecordedView => ({
    ...view,
    source: noteSource(source),
    ...(alias === undefined ? {} : { alias: { of: recordView(alias.of), fields: alias.fields } }),
  });
  const note = ({ from, ...feature }: FeatureReference): RecordedReference => {
    if (from.kind === "feature-view") {
      views[from.name] ??= recordView(from);
      return { ...feature, from: { view: from.name } };
    }
    const { kind: _, inputs, compute, ...definition } = from;
    const code = onDemandCode(from.name, compute);
    onDemand[from.name] ??= { ...definition, inputs: inputs.map(note), code, sha256: codeHash(code) };
    return { ...feature, from: { onDemand: from.name } };
  };
  for (const source of others) noteSource(source);
  return { features: features.map(note), sources, views, onDemand };
}

export interface RecalledFeatures {
  readonly features: readonly FeatureReference[];
  readonly sources: ReadonlyMap<string, SourceDefinition>;
}

/** The features as they were defined when they were recorded. @throws FEATURE_SET_RECORD_DAMAGED, FEATURE_ON_DEMAND_SOURCE */
export function recallFeatures(recorded: RecordedFeatures): RecalledFeatures {
  const damaged = (what: string) => featureErrors.FEATURE_SET_RECORD_DAMAGED(`The record names ${what}, and does not hold it`);
  const sources = new Map(
    Object.entries(recorded.sources).map(([name, source]): [string, SourceDefinition] => [
      name,
      // Nothing is taken in by it: its rows are those of snapshots.
      { ...source, kind: "source", origin: { kind: "push" } },
    ]),
  );
  const recallView = ({ source: from, alias, ...view }: RecordedView): FeatureViewDefinition => {
    const source = sources.get(from);
    if (source === undefined) throw damaged(`source "${from}"`);
    const other = alias === undefined ? {} : { alias: { of: recallView(alias.of), fields: alias.fields } };
    return { ...view, kind: "feature-view", source, ...other };
  };
  const views = new Map(Object.entries(recorded.views).map(([name, view]) => [name, recallView(view)]));
  const onDemand = new Map<string, OnDemandDefinition>();
  const recallOnDemand = (name: string): OnDemandDefinition => {
    const found = recorded.onDemand[name];
    if (found === undefined) throw damaged(`on-demand feature "${name}"`);
    const { code, sha256, inputs, ...definition } = found;
    return { ...definition, kind: "on-demand", inputs: inputs.map(recall), compute: recalledFunction({ name, code, sha256 }) };
  };
  const recall = ({ from, ...feature }: RecordedReference): FeatureReference => {
    if ("view" in from) {
      const view = views.get(from.view);
      if (view === undefined) throw damaged(`feature view "${from.view}"`);
      return { ...feature, from: view };
    }
    const definition = onDemand.get(from.onDemand) ?? recallOnDemand(from.onDemand);
    onDemand.set(from.onDemand, definition);
    return { ...feature, from: definition };
  };
  return { features: recorded.features.map(recall), sources };
}
