import { join } from "node:path";
import type { Client } from "../../../src/client/index.ts";
import type { ConsistencyReport } from "../../../src/contract/index.ts";
import { quantile, type SenderFigures } from "./open-loop-sender.ts";
import type { DemoProject } from "./prepare-project.ts";
import { FAULT } from "./weather-feed.ts";

const MODEL = "late-arrival";

/** Everything that happened, asked from the control plane when the replay is over. */
export async function summarise(
  client: Client,
  project: DemoProject,
  figures: SenderFigures,
  consistency: ConsistencyReport,
  seconds: number,
  firstChampion: number | null,
) {
  const [snapshots, model, monitoring, pipelineRuns] = await Promise.all([
    client.data.snapshots(),
    client.models.get({ name: MODEL }),
    client.monitoring.get({ name: MODEL }),
    client.pipelines.runs({ limit: 1_000 }),
  ]);
  const versions = await Promise.all(model.versions.map(({ version }) => client.models.report({ name: MODEL, version })));
  const champion = model.aliases.champion ?? null;
  const { windows, rows } = monitoring.drift;
  const afterFault = monitoring.alerts
    .filter(({ since }) => since >= FAULT.at)
    .sort((a, b) => a.openedAt.localeCompare(b.openedAt));
  const alert = afterFault[0] ?? null;
  return {
    seconds,
    ingested: Object.fromEntries(snapshots.items.map(({ source, rows: count }) => [source, count])),
    contractViolations: snapshots.items.flatMap(({ source, violations }) =>
      violations.map((violation) => ({ source, ...violation })),
    ),
    versions: versions.map(({ version, candidates, test }) => ({ version, candidates, test })),
    gates: model.gates.map(({ version, passed, verdicts }) => ({ version, passed, verdicts })),
    promotions: model.promotions,
    requests: {
      sent: figures.sent,
      failed: figures.failed,
      failures: figures.failures,
      lateStarts: figures.lateStarts,
      latencyMs: {
        p50: quantile(figures.latencies, 0.5),
        p95: quantile(figures.latencies, 0.95),
        p99: quantile(figures.latencies, 0.99),
      },
    },
    consistency: {
      compared: consistency.compared,
      wrong: consistency.mismatched,
      late: consistency.stale,
      examples: [...consistency.online, ...consistency.endpoints.flatMap(({ features }) => features)].flatMap(
        ({ feature, examples }) => examples.map((example) => ({ feature, ...example })),
      ),
    },
    drift: windows.map((window, i) => ({
      start: window.start,
      rows: window.rows,
      drifted: rows
        .filter(({ seasonal, scores }) => !seasonal && (scores[i] ?? 0) > 1)
        .map(({ feature, scores }) => ({ feature, score: scores[i] })),
      seasonal: rows
        .filter(({ seasonal, scores }) => seasonal && (scores[i] ?? 0) > 1)
        .map(({ feature, scores }) => ({ feature, score: scores[i] })),
    })),
    performance: monitoring.performance,
    fault: {
      ...FAULT,
      alertAt: alert?.openedAt ?? null,
      alertTitle: alert?.title ?? null,
      rankedFirst: alert?.causes[0] ?? null,
      resolvedAt: alert?.resolvedAt ?? null,
    },
    alerts: monitoring.alerts.map(({ kind, title, since, openedAt, resolvedAt, status, triggeredRun }) => ({
      kind,
      title,
      since,
      openedAt,
      resolvedAt,
      status,
      triggeredRun,
    })),
    pipelineRuns: Object.entries(Object.groupBy(pipelineRuns.items, ({ pipeline, status }) => `${pipeline} ${status}`)).map(
      ([what, runs]) => ({ what, runs: runs?.length ?? 0 }),
    ),
    champion: { before: firstChampion, after: champion },
    modelCard: champion === null ? null : join(project.state, "reports", MODEL, `version-${champion}`, "card.html"),
    stateFolder: project.state,
  };
}

export type DemoSummary = Awaited<ReturnType<typeof summarise>>;

/** One screen of it for people. */
export function summaryText(summary: DemoSummary, url: string): string {
  const { requests, consistency, fault, champion } = summary;
  const estimate = ({ value, low, high }: { value: number; low: number; high: number }) =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const last = summary.versions.find(({ version }) => version === champion.after);
  const scores = (last?.candidates ?? [])
    .filter(({ metrics }) => metrics.roc_auc !== undefined)
    .map(
      ({ name, selected, metrics }) =>
        `  ${selected ? "*" : " "} ${name.padEnd(38)} ${metrics.roc_auc === undefined ? "" : estimate(metrics.roc_auc)}`,
    );
  const decisions = summary.promotions
    .toReversed()
    .map(
      ({ at, decision, alias, toVersion, reason }) =>
        `  ${at.slice(0, 16)} ${decision.padEnd(11)} version ${toVersion} (${alias}): ${reason}`,
    );
  const rows = Object.entries(summary.ingested).map(([source, count]) => `${source} ${count.toLocaleString("en")}`);
  return [
    `Done in ${summary.seconds.toFixed(0)} s.  Rows: ${rows.join(", ")}`,
    `Candidates of version ${champion.after} by ROC AUC on validation, 95% by resampled days (* went to the gate):`,
    ...scores,
    ...(last?.test?.metrics.roc_auc === undefined
      ? []
      : [`  test, opened once: ${estimate(last.test.metrics.roc_auc)} on ${last.test.rows.toLocaleString("en")} flights`]),
    "Decisions:",
    ...decisions,
    `Replay: ${requests.sent.toLocaleString("en")} requests, ${requests.failed} failed, ${requests.lateStarts} started late; p50 ${requests.latencyMs.p50.toFixed(1)} ms, p99 ${requests.latencyMs.p99.toFixed(1)} ms`,
    `Features: ${consistency.compared.toLocaleString("en")} values read online or logged compared with the offline ones: ${consistency.wrong} wrong, ${consistency.late.toLocaleString("en")} right for what had been materialized by then`,
    `Fault: ${fault.what} on ${fault.at.slice(0, 10)}`,
    fault.alertAt === null ? "  no alert came" : `  alert ${fault.alertAt.slice(0, 16)}: ${fault.alertTitle}`,
    ...(fault.rankedFirst === null ? [] : [`  ranked first: ${fault.rankedFirst.subject} (${fault.rankedFirst.evidence})`]),
    fault.resolvedAt === null
      ? "  not resolved by the end of the replay"
      : `  resolved ${fault.resolvedAt.slice(0, 16)}; champion: version ${champion.before} before, ${champion.after} after`,
    `Model card: ${summary.modelCard ?? "none"}`,
    `Look around: ${url}`,
  ].join("\n");
}
