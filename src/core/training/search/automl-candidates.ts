import type { CandidateDefinition } from "../../definitions/index.ts";
import type { Task } from "../model.ts";
import { defaultCandidates } from "./default-candidates.ts";
import type { AutomlCandidate } from "./run-automl.ts";
import { pointFrom } from "./space.ts";

/** A candidate together with the parameters that are not searched: a trial's are put over the definition's. */
export interface DefinedCandidate extends AutomlCandidate {
  readonly definition: CandidateDefinition;
}

/** Rough costs of one training, in the time of a linear model; a Python program has to be started besides. */
const COSTS: Readonly<Partial<Record<CandidateDefinition["kind"], number>>> = {
  baseline: 0.5,
  "logistic-regression": 1,
  "linear-regression": 1,
  "poisson-regression": 1,
  "gradient-boosting": 5,
  "extra-trees": 8,
  "random-forest": 10,
  "model-file": 0.5,
  python: 20,
};

/**
 * What AutoML searches: the model's own candidates, those with ranges within them and the others once as they are, and every default kind
 * that the task has. A default that a model's candidate has taken the name of is called "default …"; one that is the same is left out.
 *
 * @param own the model's candidates; the charter's rule and AutoML itself, which cannot be blended, take no part
 */
export function automlCandidates(
  own: readonly CandidateDefinition[],
  task: Task,
  options: { readonly counts?: boolean } = {},
): DefinedCandidate[] {
  const searched = own.flatMap((definition): DefinedCandidate[] => {
    const cost = COSTS[definition.kind];
    return cost === undefined ? [] : [searchable(definition, cost)];
  });
  const names = new Set(searched.map(({ name }) => name));
  const known = new Set(searched.map(({ definition }) => sameness(definition)));
  const defaults = defaultCandidates(task, options)
    .filter(({ definition }) => !known.has(sameness(definition)))
    .map((candidate) => (names.has(candidate.name) ? { ...candidate, name: freeName(candidate.name, names) } : candidate));
  return [...searched, ...defaults];
}

function searchable(definition: CandidateDefinition, cost: number): DefinedCandidate {
  const space = "tune" in definition ? (definition.tune?.space ?? []) : [];
  const params: Readonly<Record<string, unknown>> = "params" in definition ? { ...definition.params } : {};
  return { name: definition.name, definition, space, defaults: pointFrom(space, params), cost };
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  const free = `default ${name}`;
  return taken.has(free) ? freeName(free, taken) : free;
}

/** Text that is equal for candidates of one kind with the same parameters and ranges. */
function sameness({ name: _, ...definition }: CandidateDefinition): string {
  if (!("tune" in definition) || definition.tune === undefined) return JSON.stringify(definition);
  // How a candidate would be searched alone makes no difference here.
  return JSON.stringify({ ...definition, tune: definition.tune.space });
}
