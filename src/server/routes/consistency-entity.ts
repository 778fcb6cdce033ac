import type { ConsistencyReport } from "../../contract/index.ts";
import type { FeatureConsistency } from "../../core/features/index.ts";
import type { ConsistencyReport as Found } from "../../core/monitoring/index.ts";
import { time } from "./entity-values.ts";

export function consistencyEntity({ at, online, endpoints }: Found): ConsistencyReport {
  const all = [...online, ...endpoints.flatMap(({ features }) => features)];
  const total = (of: "compared" | "mismatched" | "stale") => all.reduce((sum, feature) => sum + feature[of], 0);
  return {
    at: time(at),
    compared: total("compared"),
    mismatched: total("mismatched"),
    stale: total("stale"),
    online: online.map(comparedEntity),
    endpoints: endpoints.map(({ since, features, changed, ...endpoint }) => ({
      ...endpoint,
      since: time(since),
      features: features.map(comparedEntity),
      changed: [...changed],
    })),
  };
}

const comparedEntity = ({ examples, ...feature }: FeatureConsistency) => ({
  ...feature,
  examples: examples.map(({ at, fields, ...example }) => ({ ...example, at: time(at), fields: { ...fields } })),
});
