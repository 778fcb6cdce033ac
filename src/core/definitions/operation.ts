import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { ColumnType, WireOf } from "./columns.ts";
import type { ModelDefinition, ServedModel } from "./model.ts";

type Types = Readonly<Record<string, ColumnType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** What the daily graph can be made of, in the loop's order. Which of them depend on which is known by name. */
export type StageName =
  | "ingest"
  | "materialize"
  | "consistency"
  | "monitor"
  | "training-set"
  | "train"
  | "evaluate"
  | "explain"
  | "register"
  | "gate"
  | "deploy";

export type TriggerDefinition =
  | { readonly kind: "alert"; readonly alert: string; readonly cooldown: Micros; readonly evidence: Micros }
  | { readonly kind: "manual" };

/**
 * Starts the pipeline when an alert of this kind is open: not again within `cooldown` of the last start, and only when
 * labels of `evidence` of time since the alert's onset are due, so that candidates can be compared on the new conditions.
 */
export const alertFires = (
  alert: "drift" | "performance",
  options: { cooldown: Duration; evidence: Duration },
): TriggerDefinition => ({
  kind: "alert",
  alert,
  cooldown: durationToMicros(options.cooldown),
  evidence: durationToMicros(options.evidence),
});

export interface PipelineDefinition<N extends string = string> {
  readonly kind: "pipeline";
  readonly name: N;
  readonly model: ModelDefinition;
  readonly stages: readonly StageName[];
  /** Cron expression in UTC (minute hour day month weekday). */
  readonly schedule?: string;
  readonly on: readonly TriggerDefinition[];
  readonly retries: number;
}

export function pipeline<const N extends string>(
  name: N,
  options: {
    model: ModelDefinition;
    stages: readonly StageName[];
    schedule?: string;
    on?: readonly TriggerDefinition[];
    retries?: number;
  },
): PipelineDefinition<N> {
  return {
    kind: "pipeline",
    name,
    model: options.model,
    stages: options.stages,
    ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
    on: options.on ?? [],
    retries: options.retries ?? 1,
  };
}

export type MonitorDefinition = { readonly kind: "drift" | "quality" | "performance" | "latency"; readonly window: Micros };
const monitor =
  (kind: MonitorDefinition["kind"]) =>
  (options: { window?: Duration } = {}): MonitorDefinition => ({ kind, window: durationToMicros(options.window ?? "1d") });
export const drift = monitor("drift");
export const quality = monitor("quality");
export const performanceMonitor = monitor("performance");
export const latencyMonitor = monitor("latency");

export interface EndpointDefinition<N extends string = string, Q = unknown> {
  readonly kind: "endpoint";
  readonly name: N;
  readonly model: ModelDefinition;
  readonly alias: string;
  /** A challenger that passed its gates gets this share of requests for so long before it becomes champion. */
  readonly canary?: { readonly share: number; readonly for: Micros };
  readonly monitors: readonly MonitorDefinition[];
  readonly "~request"?: Q;
}

export function endpoint<const N extends string, Q extends Types>(
  name: N,
  options: { model: ServedModel<string, Q>; canary?: { share: number; for: Duration }; monitors?: readonly MonitorDefinition[] },
): EndpointDefinition<N, Flat<{ -readonly [K in keyof Q]: WireOf<Q[K]> | null }>> {
  return {
    kind: "endpoint",
    name,
    model: options.model.model,
    alias: options.model.alias,
    ...(options.canary === undefined
      ? {}
      : { canary: { share: options.canary.share, for: durationToMicros(options.canary.for) } }),
    monitors: options.monitors ?? [],
  };
}
