import type { ConsistencyReport } from "../contract/index.ts";
import { table } from "./output.ts";

/** Totals, what is wrong with examples, and what is late; features that agree stand in the totals. */
export function consistencyText({ compared, mismatched, stale, online, endpoints }: ConsistencyReport): string {
  const places = [
    { where: "online", features: online },
    ...endpoints.map(({ endpoint, features }) => ({ where: `logged by ${endpoint}`, features })),
  ];
  const rows = places.flatMap(({ where, features }) =>
    features
      .filter((feature) => feature.mismatched + feature.stale > 0)
      .map(({ feature, ...figures }) => ({
        feature,
        where,
        compared: figures.compared,
        wrong: figures.mismatched,
        "share wrong": share(figures.mismatched, figures.compared),
        late: figures.stale,
      })),
  );
  const examples = places.flatMap(({ features }) =>
    features.flatMap(({ feature, examples: shown }) =>
      shown.slice(0, 2).map(({ at, fields, prediction, got, expected }) => ({
        feature,
        at,
        of: Object.entries(fields)
          .map(([name, value]) => `${name} ${value}`)
          .join(", "),
        got,
        expected,
        prediction,
      })),
    ),
  );
  const changed = endpoints.flatMap(({ endpoint, changed: features }) =>
    features.length === 0 ? [] : [`Defined otherwise since ${endpoint} logged them, not compared: ${features.join(", ")}`],
  );
  return [
    `${compared.toLocaleString("en")} values compared: ${mismatched} wrong (${share(mismatched, compared)}), ${stale} right for what had been materialized by then`,
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(examples.length === 0 ? [] : [table(examples)]),
    ...changed,
  ].join("\n\n");
}

const share = (part: number, of: number): string => (of === 0 ? "–" : `${((100 * part) / of).toFixed(2)}%`);
