import type { FeatureReference, SourceDefinition } from "../definitions/index.ts";
import { dataErrors } from "./errors.ts";
import { splitReference } from "./reference-values.ts";

/** What a joined source is made of: names of sources, and of the view that leads to each; null for its base. */
function madeOf({ origin }: SourceDefinition): (readonly [source: string, view: string | null])[] {
  if (origin.kind !== "joined") return [];
  return [[origin.base.name, null], ...viewSources(origin.features)];
}

const viewSources = (features: readonly FeatureReference[]): (readonly [source: string, view: string])[] =>
  features.flatMap(({ from }) =>
    from.kind === "feature-view" ? [[from.source.name, from.name] as const] : viewSources(from.inputs),
  );

interface Step {
  readonly source: string;
  /** With the view that led to it. */
  readonly shown: string;
}

/** Sources that are made of one another, as "a → b (by view v) → a"; null where there are none. */
export function joinedCycle(sources: readonly SourceDefinition[]): string | null {
  const done = new Set<string>();
  const visit = (step: Step, trail: readonly Step[]): string | null => {
    const start = trail.findIndex(({ source }) => source === step.source);
    if (start >= 0) return [step.source, ...trail.slice(start + 1).map(({ shown }) => shown), step.shown].join(" → ");
    const source = sources.find(({ name }) => name === step.source);
    if (source === undefined || done.has(step.source)) return null;
    for (const [next, view] of madeOf(source)) {
      const found = visit({ source: next, shown: view === null ? next : `${next} (by view ${view})` }, [...trail, step]);
      if (found !== null) return found;
    }
    done.add(step.source);
    return null;
  };
  for (const { name } of sources) {
    const found = visit({ source: name, shown: name }, []);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Sources in an order in which each comes after those that it is made of or refers to; a circle of references is cut where it was
 * entered.
 * @throws DATA_SOURCE_CYCLE where sources are made of one another
 */
export function inReferenceOrder(sources: readonly SourceDefinition[]): SourceDefinition[] {
  const cycle = joinedCycle(sources);
  if (cycle !== null) throw dataErrors.DATA_SOURCE_CYCLE(`Sources are made of one another: ${cycle}`);
  const ordered: SourceDefinition[] = [];
  const visit = (source: SourceDefinition, trail: ReadonlySet<string>): void => {
    if (ordered.includes(source) || trail.has(source.name)) return;
    const referred = Object.values(source.contracts).flatMap(({ reference }) =>
      reference === undefined ? [] : [splitReference(reference)[0]],
    );
    // What a source is made of comes first: where it refers back, the reference is what is cut.
    for (const name of [...madeOf(source).map(([made]) => made), ...referred]) {
      const other = sources.find((each) => each.name === name);
      if (other !== undefined) visit(other, new Set([...trail, source.name]));
    }
    ordered.push(source);
  };
  for (const source of sources) visit(source, new Set());
  return ordered;
}
