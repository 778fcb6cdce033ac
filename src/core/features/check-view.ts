import { type FeatureViewDefinition, type ViewProblem, viewProblems } from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";

const ERRORS = {
  "view-name": featureErrors.FEATURE_NAME_INVALID,
  name: featureErrors.FEATURE_NAME_INVALID,
  twice: featureErrors.FEATURE_DUPLICATE,
  none: featureErrors.FEATURE_NONE,
  key: featureErrors.FEATURE_KEY_INVALID,
  column: featureErrors.FEATURE_COLUMN_UNKNOWN,
  window: featureErrors.FEATURE_WINDOW_INVALID,
  time: featureErrors.FEATURE_TIME_MISSING,
} as const satisfies Record<ViewProblem["kind"], unknown>;

/**
 * What can be said about a view without data; gives it back.
 * @throws FEATURE_NAME_INVALID, FEATURE_DUPLICATE, FEATURE_NONE, FEATURE_KEY_INVALID, FEATURE_COLUMN_UNKNOWN,
 * FEATURE_WINDOW_INVALID, FEATURE_TIME_MISSING
 */
export function checkView(view: FeatureViewDefinition): FeatureViewDefinition {
  const [first] = viewProblems(view);
  if (first === undefined) return view;
  throw ERRORS[first.kind](first.message, first.hint === undefined ? {} : { hint: first.hint });
}
