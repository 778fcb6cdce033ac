import { unpinnedRequirement } from "../ports/index.ts";
import type {
  AutoMlParams,
  BaselineParams,
  CandidateDefinition,
  ForestParams,
  GradientBoostingParams,
  LinearRegressionParams,
  LogisticRegressionParams,
  PoissonRegressionParams,
  SearchSettings,
} from "./candidates.ts";
import type { ModelFileCandidate } from "./model-file.ts";
import type { PythonCandidate } from "./python-candidate.ts";
import { isSearchDomain, type SearchDomain, type SearchParameter, searchSpaceProblems } from "./search.ts";
import type { FoldDefinition } from "./splits.ts";
import {
  aboveZero,
  betweenZeroAndOne,
  either,
  isRecord,
  listOf,
  oneOf,
  orNull,
  positiveShare,
  recordOf,
  share,
  shown,
  someText,
  unknownName,
  type ValueRule,
  type ValueRules,
  valuesProblems,
  wholeFrom,
  yesOrNo,
  zeroOrMore,
} from "./value-rules.ts";

/** A rule for every parameter of P. */
type RulesOf<P> = { readonly [K in keyof Required<P>]: ValueRule };

export const BASELINE_RULES: RulesOf<BaselineParams> = {
  strategy: oneOf(["prior", "majority", "mean", "median", "last-value", "best-feature"]),
};

export const LOGISTIC_RULES: RulesOf<LogisticRegressionParams> = { c: aboveZero, l1Ratio: share };
export const LINEAR_RULES: RulesOf<LinearRegressionParams> = { alpha: zeroOrMore, l1Ratio: share };
export const POISSON_RULES: RulesOf<PoissonRegressionParams> = { alpha: zeroOrMore };

/** Of boosting's parameters, those that are numbers: the same in a definition and where it is fitted. */
export const BOOSTING_NUMBER_RULES = {
  trees: wholeFrom(1),
  leaves: wholeFrom(2),
  rate: positiveShare,
  l2: zeroOrMore,
  l1: zeroOrMore,
  minLeafRows: aboveZero,
  minHessian: zeroOrMore,
  maxDepth: wholeFrom(0),
  minGain: zeroOrMore,
  rowShare: positiveShare,
  columnShare: positiveShare,
  earlyStopping: wholeFrom(0),
  quantile: betweenZeroAndOne,
};

export const BOOSTING_RULES: RulesOf<GradientBoostingParams> = {
  ...BOOSTING_NUMBER_RULES,
  loss: oneOf(["squared", "quantile", "poisson"]),
  monotone: recordOf(oneOf([1, -1])),
  interactions: listOf(listOf(someText), 0),
};

/** Whether boosting can keep to directions (`monotone`) with a loss or task. */
export const keepsDirections = (objective: string): boolean => objective !== "multiclass" && objective !== "quantile";

export const FOREST_RULES: RulesOf<ForestParams> = {
  trees: wholeFrom(1),
  maxDepth: wholeFrom(0),
  minLeafRows: zeroOrMore,
  maxFeatures: either(oneOf(["auto", "sqrt", "all"]), { ...positiveShare, wanted: "a share above 0 and up to 1" }),
  bootstrap: yesOrNo,
};

/** Processes of one search. */
const WORKERS = wholeFrom(1, 64);

const FOLD_KINDS: ReadonlySet<unknown> = new Set<FoldDefinition["kind"]>([
  "k-fold",
  "stratified-k-fold",
  "group-k-fold",
  "time-folds",
  "repeated",
]);
const isFolds = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "kind" in value && FOLD_KINDS.has(value.kind);

const SETTINGS_RULES: RulesOf<SearchSettings> = {
  sampler: oneOf(["tpe", "random", "grid"]),
  trials: wholeFrom(1),
  time: orNull(aboveZero),
  pruning: yesOrNo,
  workers: WORKERS,
  trialTime: aboveZero,
  folds: { wanted: "folds, as kFold(5) or timeFolds(4)", accepts: (value) => value === null || isFolds(value) },
};

const AUTO_ML_RULES: RulesOf<AutoMlParams> = { time: aboveZero, ensemble: wholeFrom(1), workers: WORKERS, counts: yesOrNo };

const anything: ValueRule = { wanted: "anything", accepts: () => true };

/** As in a file, lines may be empty; but not all. */
const REQUIREMENT_LINES: ValueRule = {
  wanted: "its lines",
  accepts: (value) =>
    Array.isArray(value) && value.every((line) => typeof line === "string") && value.some((line) => someText.accepts(line)),
};

const PYTHON_RULES: RulesOf<Omit<PythonCandidate, "kind" | "name">> = {
  program: someText,
  requirements: either({ ...someText, wanted: "the path of a requirements file" }, REQUIREMENT_LINES),
  params: recordOf(anything),
  columns: oneOf(["tree", "linear"]),
  timeout: aboveZero,
  memory: orNull(aboveZero),
};

const MODEL_FILE_RULES: RulesOf<Omit<ModelFileCandidate, "kind" | "name">> = {
  path: someText,
  columns: orNull(listOf(someText)),
};

/** Of the parameters of each kind; a rule (the charter's alternative), a Python program and a file have no `params` of ours. */
const PARAMETER_RULES: Readonly<Record<Exclude<CandidateDefinition["kind"], "rule" | "python" | "model-file">, ValueRules>> = {
  baseline: BASELINE_RULES,
  "logistic-regression": LOGISTIC_RULES,
  "linear-regression": LINEAR_RULES,
  "poisson-regression": POISSON_RULES,
  "gradient-boosting": BOOSTING_RULES,
  "random-forest": FOREST_RULES,
  "extra-trees": FOREST_RULES,
  "auto-ml": AUTO_ML_RULES,
};

export const CANDIDATE_KINDS: readonly string[] = [...Object.keys(PARAMETER_RULES), "rule", "python", "model-file"];

/** Whether a value is a candidate of a kind that there is; its parameters may be wrong. */
export const isCandidate = (value: unknown): value is CandidateDefinition =>
  isRecord(value) && typeof value.kind === "string" && CANDIDATE_KINDS.includes(value.kind);

/** Parameters and search of one candidate, told apart because they are mended in different places. */
export interface CandidateProblems {
  readonly parameters: readonly string[];
  readonly search: readonly string[];
}

/** What is wrong with a candidate whatever it is trained on, one sentence each. Never throws, whatever it is given. */
export function candidateProblems(candidate: unknown): CandidateProblems {
  if (!isCandidate(candidate)) {
    const kind = isRecord(candidate) ? candidate.kind : candidate;
    return { parameters: [`${shown(kind)} is no kind of candidate: there are ${CANDIDATE_KINDS.join(", ")}`], search: [] };
  }
  const named = someText.accepts(candidate.name) ? [] : [`its name is ${shown(candidate.name)}, not a text`];
  if (candidate.kind === "rule") return { parameters: named, search: [] };
  if (candidate.kind === "python") {
    const { kind: _, name: __, ...params } = candidate;
    const problems = valuesProblems(params, PYTHON_RULES);
    return { parameters: [...named, ...(problems.length > 0 ? problems : unpinned(candidate))], search: [] };
  }
  if (candidate.kind === "model-file") {
    const { kind: _, name: __, ...params } = candidate;
    return { parameters: [...named, ...valuesProblems(params, MODEL_FILE_RULES)], search: [] };
  }
  const rules = PARAMETER_RULES[candidate.kind];
  const parameters = [...named, ...valuesProblems(candidate.params, rules), ...directionProblems(candidate)];
  return { parameters, search: "tune" in candidate ? tuneProblems(candidate.tune, rules) : [] };
}

/** Lines are at hand; a file is looked at where there are files. */
function unpinned({ requirements }: PythonCandidate): string[] {
  const found = typeof requirements === "string" ? null : unpinnedRequirement(requirements.join("\n"));
  return found === null ? [] : [`the requirement ${found.content} ${found.problem}`];
}

function directionProblems(candidate: CandidateDefinition): string[] {
  if (candidate.kind !== "gradient-boosting" || !isRecord(candidate.params)) return [];
  const { monotone, loss } = candidate.params;
  if (!isRecord(monotone) || Object.keys(monotone).length === 0 || keepsDirections(loss)) return [];
  return [`monotone does not go with the ${loss} loss`];
}

function tuneProblems(tune: unknown, rules: ValueRules): string[] {
  if (tune === undefined) return [];
  if (!isRecord(tune) || !Array.isArray(tune.space)) return ["its search has no ranges"];
  const space: readonly unknown[] = tune.space;
  const parameters = space.filter(isSearchParameter);
  if (parameters.length < space.length) return ["one of its ranges has no name or is none"];
  return [
    ...valuesProblems(tune.settings, SETTINGS_RULES),
    ...searchSpaceProblems(parameters),
    ...parameters.flatMap(({ name, domain }) => rangeProblems(name, domain, rules)),
  ];
}

const isSearchParameter = (value: unknown): value is SearchParameter =>
  isRecord(value) && typeof value.name === "string" && isSearchDomain(value.domain);

/** Both ends of a range, and every option, must do as parameters: what lies between two that do, does. */
function rangeProblems(name: string, domain: SearchDomain, rules: ValueRules): string[] {
  if (!Object.hasOwn(rules, name)) return [unknownName(name, rules)];
  const rule = rules[name];
  const ends: readonly unknown[] = domain.search === "choice" ? domain.options : [domain.low, domain.high];
  if (!Array.isArray(ends)) return [];
  const wrong = ends
    .filter((value) => !rule.accepts(value))
    .map((value) => `${name} could be ${shown(value)}, not ${rule.wanted}`);
  const isFraction = domain.search === "float" && rule.whole === true;
  return isFraction ? [...wrong, `${name} is ${rule.wanted}: search.int(low, high)`] : wrong;
}
