import type {
  CalibrationMethod,
  CandidateDefinition,
  CharterDecision,
  ClassWeights,
  MetricName,
  PreparationStep,
  RowWeights,
} from "../definitions/index.ts";
import type { FeaturePlan } from "../features/index.ts";
import type { Micros } from "../time.ts";
import type { UnitChanges } from "./preparation/convert-units.ts";

export interface TrainingOptions {
  readonly candidate: CandidateDefinition;
  readonly prepare: readonly PreparationStep[];
  readonly plan: FeaturePlan;
  readonly decision: CharterDecision;
  /** The charter's alternative, to be kept in the rule candidate's package. */
  readonly rule?: string;
  readonly model: string;
  readonly seed: number;
  /** What candidates are compared by. */
  readonly select: MetricName;
  readonly trainedAt: Micros;
  /** Snapshot id by source. */
  readonly snapshots: Readonly<Record<string, string>>;
  /** Feature ids that the estimator must not use; the plan keeps them. */
  readonly exclude?: readonly string[];
  /** Features delivered in other units since after the last training row: selection, calibration and serving read them converted. */
  readonly units?: UnitChanges;
  readonly classWeights?: ClassWeights;
  readonly rowWeights?: RowWeights;
  /** How probabilities are calibrated; isotonic (several classes: temperature) unless said. */
  readonly calibrate?: CalibrationMethod;
  /** Threads of one fit; the model is the same for any number. 1 unless said. */
  readonly threads?: number;
  /** Resamples behind the intervals of the selection metrics; 200 unless said. */
  readonly resamples?: number;
}
