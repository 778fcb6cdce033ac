import { type ConnectionOptions, connect } from "../connection.ts";
import { interval, show, table } from "../output.ts";

/** Days shown on a terminal; the web UI has all of them. */
const SHOWN = 14;

export default async function monitor(options: ConnectionOptions & { json?: boolean }, endpoint?: string): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const names = endpoint === undefined ? (await client.endpoints.list()).items.map(({ name }) => name) : [endpoint];
    const reports = await Promise.all(names.map((name) => client.monitoring.get({ name })));
    show(options.json, reports, () =>
      reports
        .map(({ endpoint: name, drift, performance, alerts }) => {
          const last = drift.windows.length - 1;
          const worst = drift.rows
            .map(({ feature, seasonal, scores }) => ({
              feature,
              seasonal: seasonal ? "yes" : "",
              "score (1 = limit)": scores[last] ?? null,
            }))
            .filter(({ "score (1 = limit)": score }) => score !== null)
            .sort((a, b) => (b["score (1 = limit)"] ?? 0) - (a["score (1 = limit)"] ?? 0))
            .slice(0, 8)
            .map((row) => ({ ...row, "score (1 = limit)": (row["score (1 = limit)"] ?? 0).toFixed(2) }));
          return [
            `${name}: ${alerts.filter(({ status }) => status === "open").length} open alerts`,
            table(
              alerts.map(({ openedAt, status, title, causes }) => ({
                opened: openedAt,
                status,
                title,
                "first cause": causes[0]?.subject ?? null,
              })),
            ),
            `Drift in the window from ${drift.windows[last]?.start ?? "–"}`,
            table(worst),
            "Performance of matured cohorts",
            table(
              performance.slice(-SHOWN).map((window) => ({
                window: window.start.slice(0, 10),
                predictions: window.predictions,
                coverage: window.labelCoverage === null ? null : window.labelCoverage.toFixed(2),
                roc_auc: window.metrics.roc_auc === undefined ? null : interval(window.metrics.roc_auc),
                estimated: window.estimatedRocAuc === null ? null : window.estimatedRocAuc.toFixed(3),
              })),
            ),
          ].join("\n\n");
        })
        .join("\n\n"),
    );
  } finally {
    await close();
  }
}
