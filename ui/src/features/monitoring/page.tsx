import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Monitoring } from "../../../../src/contract/index.ts";
import { Alerts } from "../../components/alerts.tsx";
import { EndpointSelect, useEndpoint } from "../../components/endpoint-select.tsx";
import { Estimate } from "../../components/estimate.tsx";
import { formatCount, formatDay, formatShare, metricLabel, metricNames } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX, Tile } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { DriftHeatMap, PerformanceChart } from "./charts.tsx";
import { heatMap, orderAlerts, performanceChart, totals } from "./prepare.ts";

export function MonitoringPage() {
  const { endpoint: asked } = useSearch({ from: "/monitoring" });
  const navigate = useNavigate();
  const { endpoints, endpoint } = useEndpoint(asked);
  return (
    <>
      <PageHead
        title="Monitoring"
        about="What has moved since training, what that did to the predictions, and why."
        actions={
          <EndpointSelect
            names={endpoints.data?.items.map(({ name }) => name) ?? []}
            value={endpoint}
            onChange={(next) => void navigate({ to: "/monitoring", search: { endpoint: next } })}
          />
        }
      />
      <Loaded
        query={endpoints}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="Nothing to watch yet">Deploy a model to an endpoint first.</Empty>}
      >
        {() => (endpoint === undefined ? null : <Watched endpoint={endpoint} />)}
      </Loaded>
    </>
  );
}

function Watched({ endpoint }: { endpoint: string }) {
  const client = useClient();
  const monitoring = useQuery({
    queryKey: ["monitoring", endpoint],
    queryFn: () => client.monitoring.get({ name: endpoint }),
    refetchInterval: 30_000,
  });
  return <Loaded query={monitoring}>{(data) => <Report monitoring={data} />}</Loaded>;
}

function Report({ monitoring }: { monitoring: Monitoring }) {
  const { drift, performance, alerts } = monitoring;
  const sums = useMemo(() => totals(performance), [performance]);
  const map = useMemo(() => heatMap(drift), [drift]);
  const ordered = useMemo(() => orderAlerts(alerts), [alerts]);
  return (
    <>
      <div className="columns tiles">
        <Tile label="Predictions" value={formatCount(sums.predictions)} />
        <Tile label="Without a label for ever" value={formatCount(sums.censored)} note="censored" />
        <Tile label="Slowest window's p99" value={sums.slowestP99Ms === null ? "–" : `${sums.slowestP99Ms.toFixed(1)} ms`} />
        <Tile label="Alerts not resolved" value={alerts.filter(({ status }) => status !== "resolved").length} />
      </div>
      <Panel title="Alerts" about="Causes are ranked by what they cost.">
        {ordered.length === 0 ? <Empty title="No alerts" /> : <Alerts alerts={ordered} />}
      </Panel>
      <Panel title="Drift" about="Distance to the training data, as a share of what days normally do. 1 is the limit.">
        {drift.windows.length === 0 ? <Empty title="No window is complete yet" /> : <DriftHeatMap map={map} />}
      </Panel>
      <Performance windows={performance} />
    </>
  );
}

function Performance({ windows }: { windows: Monitoring["performance"] }) {
  const names = metricNames(windows.map(({ metrics }) => metrics));
  const [chosen, choose] = useState<string | null>(null);
  const metric = names.find((name) => name === chosen) ?? names[0] ?? "roc_auc";
  const chart = useMemo(() => performanceChart(windows, metric), [windows, metric]);
  if (windows.length === 0) {
    return (
      <Panel title="Performance">
        <Empty title="No window is complete yet" />
      </Panel>
    );
  }
  return (
    <Panel
      title="Performance"
      about="Matured cohorts only: every label that will come has come."
      actions={
        <Select
          aria-label="Metric"
          size="xs"
          w={170}
          allowDeselect={false}
          data={(names.length === 0 ? ["roc_auc"] : names).map((name) => ({ value: name, label: metricLabel(name) }))}
          value={metric}
          onChange={choose}
        />
      }
    >
      <PerformanceChart data={chart} />
      <details>
        <summary>The same as a table</summary>
        <ScrollX label="Performance by window">
          <table className="plain">
            <thead>
              <tr>
                <th>Window</th>
                <th className="num">Predictions</th>
                <th className="num">{metricLabel(metric)}</th>
                <th className="num">Estimated ROC AUC</th>
                <th className="num">Labels</th>
                <th className="num">Censored</th>
                <th className="num">p50</th>
                <th className="num">p99</th>
              </tr>
            </thead>
            <tbody>
              {windows.map((window) => (
                <tr key={window.start}>
                  <th scope="row" className="nowrap">
                    {formatDay(window.start)}
                  </th>
                  <td className="num">{formatCount(window.predictions)}</td>
                  <td className="num">
                    <Estimate estimate={window.metrics[metric]} />
                  </td>
                  <td className="num">{window.estimatedRocAuc?.toFixed(3) ?? "–"}</td>
                  <td className="num">{window.labelCoverage === null ? "–" : formatShare(window.labelCoverage)}</td>
                  <td className="num">{formatCount(window.censored)}</td>
                  <td className="num">{window.latencyP50Ms === null ? "–" : `${window.latencyP50Ms.toFixed(1)} ms`}</td>
                  <td className="num">{window.latencyP99Ms === null ? "–" : `${window.latencyP99Ms.toFixed(1)} ms`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      </details>
    </Panel>
  );
}
