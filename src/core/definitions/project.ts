import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { CharterDefinition } from "./charter.ts";
import { definitionErrors } from "./errors.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { FeatureViewDefinition } from "./features.ts";
import type { ModelDefinition } from "./model.ts";
import { refuseOnDemandCycles } from "./on-demand.ts";
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

/**
 * A project of what is given; lists that are left out are empty, so that one may only keep features, or only train.
 * @throws DEFINITION_VALUE_INVALID where the name or the charter is missing, or a list holds something undefined; DEFINITION_FEATURE_CYCLE
 */
export function defineProject<const E extends EndpointDefinition = never>(project: {
  name: string;
  charter: CharterDefinition;
  sources?: readonly SourceDefinition[];
  features?: readonly { readonly definition: FeatureViewDefinition }[];
  services?: readonly FeatureServiceDefinition[];
  models?: readonly ModelDefinition[];
  pipelines?: readonly PipelineDefinition[];
  endpoints?: readonly E[];
  materializeEvery?: Duration;
}): ProjectDefinition<E> {
  const { name, charter } = project;
  if (typeof name !== "string") throw definitionErrors.DEFINITION_VALUE_INVALID('The project has no name: name: "departures"');
  if (typeof charter?.target !== "object")
    throw definitionErrors.DEFINITION_VALUE_INVALID(`The project "${name}" has no charter: charter: defineCharter({ … })`);
  const [sources, services, models] = [
    listed("sources", project.sources),
    listed("services", project.services),
    listed("models", project.models),
  ];
  const joined = sources.flatMap(({ origin }) => (origin.kind === "joined" ? origin.features : []));
  refuseOnDemandCycles([...services, ...models].flatMap(({ features }) => features).concat(joined));
  return {
    kind: "project",
    name,
    charter,
    sources,
    features: listed("features", project.features).map(({ definition }) => definition),
    services,
    models,
    pipelines: listed("pipelines", project.pipelines),
    endpoints: listed("endpoints", project.endpoints),
    materializeEvery: durationToMicros(project.materializeEvery ?? "1h"),
  };
}

/** Project files run without having been compiled. */
function listed<T>(list: string, given: readonly T[] = []): readonly T[] {
  const wrong = given.findIndex((each) => each === undefined || each === null);
  if (wrong === -1) return given;
  throw definitionErrors.DEFINITION_VALUE_INVALID(`Number ${wrong + 1} of the project's ${list} is ${given[wrong]}`, {
    hint: "Import or define it before the project.",
  });
}
