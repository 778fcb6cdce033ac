import type { Client } from "../../client/index.ts";
import type { Counterfactuals } from "../../contract/index.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { show, table } from "../output.ts";

interface ExplainOptions extends ConnectionOptions {
  json?: boolean;
  counterfactuals?: boolean;
}

export default async function explain(options: ExplainOptions, id = ""): Promise<void> {
  const { client, close } = await connect(options);
  try {
    if (options.counterfactuals) await showCounterfactuals(client, options, id);
    else await showContributions(client, options, id);
  } finally {
    await close();
  }
}

const shown = (value: string | number | boolean | null): string => (value === null ? "missing" : String(value));

async function showContributions(client: Client, options: ExplainOptions, id: string): Promise<void> {
  const explanation = await client.predictions.explain({ id });
  show(options.json, explanation, () =>
    [
      `${explanation.model} version ${explanation.version} said ${explanation.probability.toFixed(3)}`,
      `${explanation.scale} ${explanation.base.toFixed(3)} (what it says knowing nothing) to ${explanation.output.toFixed(3)}:`,
      table(
        explanation.contributions.map(({ feature, value, phi }) => ({
          feature,
          value: shown(value),
          "pushes by": (phi >= 0 ? "+" : "") + phi.toFixed(3),
        })),
      ),
    ].join("\n"),
  );
}

async function showCounterfactuals(client: Client, options: ExplainOptions, id: string): Promise<void> {
  const answer = await client.predictions.counterfactuals({ id });
  show(options.json, answer, () =>
    [
      `${answer.model} version ${answer.version} said ${answer.prediction.toFixed(3)}; another decision needs ${goalText(answer)}`,
      answer.outcome === "found"
        ? table(changesOf(answer))
        : "No change of up to three features within what the training rows had gets there.",
      ...(answer.immutable.length === 0 ? [] : [`Left as they are: ${answer.immutable.join(", ")}`]),
    ].join("\n"),
  );
}

function goalText({ goal }: Counterfactuals): string {
  if (goal.kind === "class") return `${goal.name} to be the likeliest`;
  return `${goal.kind === "below" ? "less than" : "at least"} ${goal.value.toFixed(3)}`;
}

/** A line a change; those of one way carry its number, and the first of them what it leads to. */
const changesOf = ({ counterfactuals }: Counterfactuals) =>
  counterfactuals.flatMap(({ changes, prediction }, way) =>
    changes.map(({ feature, from, to }, i) => ({
      way: way + 1,
      feature,
      from: shown(from),
      to: shown(to),
      "then says": i === 0 ? prediction.toFixed(3) : "",
    })),
  );
