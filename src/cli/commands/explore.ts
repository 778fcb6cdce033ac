import type { Exploration } from "../../contract/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { modelVersion, newestVersion } from "../model-version.ts";
import { interval, show, table } from "../output.ts";

/** Features that are shown; --json has them all. */
const STRONGEST = 12;

export default async function explore(options: ConnectionOptions & { json?: boolean }, text = ""): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const exploration = await client.models.exploration(await modelVersion(client, text, newestVersion));
    show(options.json, exploration, () => describe(exploration));
  } finally {
    await close();
  }
}

function describe({ model, version, rows, sampledRows, balance, relations, suspicions }: Exploration): string {
  const figure = (value: number | null) => (value === null ? null : value.toFixed(3));
  return [
    `${rows} of the rows that ${model} version ${version} was trained on${sampledRows < rows ? `; relations are of ${sampledRows} of them` : ""}`,
    balance === null
      ? "The target is a number."
      : table(
          balance.classes.map(({ name, rows: count, share }) => ({ class: name, rows: count, "share [95%]": interval(share) })),
        ),
    table(
      relations.slice(0, STRONGEST).map(({ feature, explained, spearman, auc }) => ({
        feature,
        "explains of the target": figure(explained),
        spearman: figure(spearman),
        "AUC alone": figure(auc),
      })),
    ),
    suspicions.length === 0
      ? "Nothing looks like a leak."
      : ["What may be a leak:", ...suspicions.map(({ feature, says }) => `  ${feature}: ${says}`)].join("\n"),
  ].join("\n\n");
}
