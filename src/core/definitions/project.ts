import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { CharterDefinition } from "./charter.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { FeatureViewDefinition } from "./features.ts";
import type { ModelDefinition } from "./model.ts";
import type { EndpointDefinition, PipelineDefinition } from "./operation.ts";
import type { SourceDefinition } from "./source.ts";

/** Everything a project says, as data plus pure functions; nothing runs when it is imported. */
export interface ProjectDefinition<E extends EndpointDefinition = EndpointDefinition> {
  readonly kind: "project";
  readonly name: string;
  readonly charter: CharterDefinition;
  readonly sources: readonly SourceDefinition[];
  readonly features: readonly FeatureViewDefinition[];
  readonly services: readonly FeatureServiceDefinition[];
  readonly models: readonly ModelDefinition[];
  readonly pipelines: readonly PipelineDefinition[];
  readonly endpoints: readonly E[];
  /** How often the online store is brought up to date. */
  readonly materializeEvery: Micros;
}

export function defineProject<const E extends EndpointDefinition = never>(project: {
  name: string;
  charter: CharterDefinition;
  sources: readonly SourceDefinition[];
  features: readonly { readonly definition: FeatureViewDefinition }[];
  services?: readonly FeatureServiceDefinition[];
  models: readonly ModelDefinition[];
  pipelines?: readonly PipelineDefinition[];
  endpoints?: readonly E[];
  materializeEvery?: Duration;
}): ProjectDefinition<E> {
  return {
    kind: "project",
    name: project.name,
    charter: project.charter,
    sources: project.sources,
    features: project.features.map(({ definition }) => definition),
    services: project.services ?? [],
    models: project.models,
    pipelines: project.pipelines ?? [],
    endpoints: project.endpoints ?? [],
    materializeEvery: durationToMicros(project.materializeEvery ?? "1h"),
  };
}
