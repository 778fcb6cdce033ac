import { type ConnectionOptions, connect } from "../connection.ts";
import { show, table } from "../output.ts";

export default async function explain(options: ConnectionOptions & { json?: boolean }, id = ""): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const explanation = await client.predictions.explain({ id });
    show(options.json, explanation, () =>
      [
        `${explanation.model} version ${explanation.version} said ${explanation.probability.toFixed(3)}`,
        `${explanation.scale} ${explanation.base.toFixed(3)} (what it says knowing nothing) to ${explanation.output.toFixed(3)}:`,
        table(
          explanation.contributions.map(({ feature, value, phi }) => ({
            feature,
            value: value === null ? "missing" : String(value),
            "pushes by": (phi >= 0 ? "+" : "") + phi.toFixed(3),
          })),
        ),
      ].join("\n"),
    );
  } finally {
    await close();
  }
}
