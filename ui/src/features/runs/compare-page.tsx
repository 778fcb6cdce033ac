import "./compare.css";
import { MultiSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { ListedRun } from "../../../../src/contract/index.ts";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant } from "../../components/format.ts";
import { IntervalChart } from "../../components/interval-chart.tsx";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { columnLabel } from "./columns.ts";
import {
  type ComparedRow,
  comparedFilter,
  compareMetrics,
  compareTexts,
  inAskedOrder,
  labelOf,
  type MetricRow,
  metricDots,
} from "./compare.ts";
import { OverlaidCurves } from "./overlaid-curves.tsx";
import { axisChoices, parallelChart, usualAxes } from "./parallel.ts";
import { ParallelCoordinates } from "./parallel-coordinates.tsx";
import { ownTags } from "./prepare-run.ts";

export function ComparePage() {
  const client = useClient();
  const { ids } = useSearch({ from: "/runs/compare" });
  const query = { filter: comparedFilter(ids), view: "all", limit: Math.max(1, ids.length) } as const;
  const found = useQuery({
    queryKey: ["runs", query],
    queryFn: () => client.runs.list(query),
    enabled: ids.length >= 2,
  });
  return (
    <>
      <PageHead kicker={<Link to="/runs">Runs</Link>} title="Runs side by side" />
      {ids.length < 2 ? (
        <Empty title="Select two runs or more in the list of runs" />
      ) : (
        <Loaded query={found}>{({ items }) => <Found ids={ids} items={items} />}</Loaded>
      )}
    </>
  );
}

function Found({ ids, items }: { ids: readonly string[]; items: readonly ListedRun[] }) {
  const { runs, missing } = useMemo(() => inAskedOrder(ids, items), [ids, items]);
  return (
    <>
      {missing.length === 0 ? null : (
        <p className="notice" role="status">
          Not there any more: <span className="mono">{missing.join(", ")}</span>
        </p>
      )}
      {runs.length === 0 ? null : <Comparison runs={runs} />}
    </>
  );
}

function Comparison({ runs }: { runs: readonly ListedRun[] }) {
  const metrics = useMemo(() => compareMetrics(runs), [runs]);
  const params = useMemo(() => compareTexts(runs.map((run) => run.params)), [runs]);
  const tags = useMemo(() => compareTexts(runs.map((run) => ownTags(run.tags))), [runs]);
  const dots = useMemo(() => metricDots(runs.map((run) => ({ label: labelOf(run, runs), metrics: run.metrics }))), [runs]);
  const measured = [...new Set(dots.map(({ metric }) => metric))];
  return (
    <>
      <Panel title="Metrics" about="The best of each row is marked; intervals that overlap say that it may be chance.">
        <MetricsTable runs={runs} rows={metrics} />
      </Panel>
      <Panel title="Params" about="Those that differ come first and are marked.">
        <TextsTable runs={runs} rows={params} label="Params side by side" none="These runs logged no params" />
      </Panel>
      <ParallelPanel runs={runs} />
      <OverlaidCurves runs={runs} metrics={metrics.map(({ name }) => name)} />
      {measured.length === 0 ? null : (
        <div className="columns two">
          {measured.slice(0, 4).map((metric) => (
            <Panel key={metric} title={metric}>
              <IntervalChart label={`${metric} of each run`} rows={dots.filter((each) => each.metric === metric)} />
            </Panel>
          ))}
        </div>
      )}
      <Panel title="Tags">
        <TextsTable runs={runs} rows={tags} label="Tags side by side" none="These runs have no tags" />
      </Panel>
    </>
  );
}

function MetricsTable({ runs, rows }: { runs: readonly ListedRun[]; rows: readonly MetricRow[] }) {
  return (
    <ScrollX label="Metrics side by side">
      <table className="plain compared">
        <thead>
          <tr>
            <th />
            {runs.map((run) => (
              <th key={run.id} className="num">
                <Link to="/runs/$id" params={{ id: run.id }}>
                  {labelOf(run, runs)}
                </Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Status</th>
            {runs.map((run) => (
              <td key={run.id} className="num">
                <State status={run.status} />
              </td>
            ))}
          </tr>
          <tr>
            <th scope="row">Started, took</th>
            {runs.map((run) => (
              <td key={run.id} className="num">
                {formatInstant(run.startedAt)}
                <br />
                <span className="muted small">{formatDuration(run.startedAt, run.endedAt)}</span>
              </td>
            ))}
          </tr>
          {rows.map(({ name, label, cells, differs }) => (
            <tr key={name}>
              <th scope="row">
                {label}
                {differs ? <span className="visually-hidden"> (differs)</span> : null}
              </th>
              {cells.map(({ estimate, text, best }, index) => (
                <td key={runs[index]?.id} className={differs ? "num differs" : "num"}>
                  {best ? <span className="chip brass">best</span> : null}{" "}
                  {text ?? <Estimate estimate={estimate} strong={best} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

interface TextsTableProps {
  runs: readonly ListedRun[];
  rows: readonly ComparedRow[];
  label: string;
  none: string;
}

function TextsTable({ runs, rows, label, none }: TextsTableProps) {
  if (rows.length === 0) return <Empty title={none} />;
  return (
    <ScrollX label={label}>
      <table className="plain compared">
        <thead>
          <tr>
            <th />
            {runs.map((run) => (
              <th key={run.id}>{labelOf(run, runs)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, values, differs }) => (
            <tr key={name}>
              <th scope="row">
                {name}
                {differs ? <span className="visually-hidden"> (differs)</span> : null}
              </th>
              {values.map((value, index) => (
                <td key={runs[index]?.id} className={differs ? "differs" : ""}>
                  {value ?? <span className="muted">–</span>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function ParallelPanel({ runs }: { runs: readonly ListedRun[] }) {
  const [chosen, setChosen] = useState<readonly string[] | null>(null);
  const choices = useMemo(() => axisChoices(runs), [runs]);
  const axes = useMemo(() => chosen ?? usualAxes(runs), [chosen, runs]);
  const data = useMemo(() => parallelChart(runs, axes), [runs, axes]);
  return (
    <Panel
      title="Parallel coordinates"
      about="A line a run, across the params that differ to a metric. The last axis gives the colour."
    >
      <div className="stack">
        <MultiSelect
          label="Axes"
          searchable
          hidePickedOptions
          limit={200}
          data={choices.map((key) => ({ value: key, label: columnLabel(key) }))}
          value={[...axes]}
          onChange={setChosen}
        />
        {axes.length < 2 ? <Empty title="Choose two axes or more" /> : <ParallelCoordinates data={data} />}
      </div>
    </Panel>
  );
}
