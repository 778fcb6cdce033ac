import { useQueries } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Run } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant, metricLabel, metricNames } from "../../components/format.ts";
import { IntervalChart } from "../../components/interval-chart.tsx";
import { Empty } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { bestRun, compareParams, metricDots } from "./prepare.ts";

export function ComparePage() {
  const client = useClient();
  const { ids } = useSearch({ from: "/runs/compare" });
  const queries = useQueries({
    queries: ids.map((id) => ({ queryKey: ["run", id], queryFn: () => client.runs.get({ id }) })),
  });
  const runs = queries.flatMap(({ data }) => (data === undefined ? [] : [data]));
  return (
    <>
      <PageHead kicker={<Link to="/runs">Runs</Link>} title="Runs side by side" />
      {queries.map(({ error, refetch }, index) =>
        error === null ? null : <ErrorNotice key={ids[index]} error={error} onRetry={() => void refetch()} />,
      )}
      {ids.length < 2 ? (
        <Empty title="Select two runs or more in the list of runs" />
      ) : queries.some(({ isPending }) => isPending) ? (
        <p role="status">Loading…</p>
      ) : (
        <Comparison runs={runs} />
      )}
    </>
  );
}

/** Runs of one name are told apart by the start of their ids. */
const labelOf = (run: Run, runs: readonly Run[]): string =>
  runs.filter(({ name }) => name === run.name).length > 1 ? `${run.name} (${run.id.slice(0, 8)})` : run.name;

function Comparison({ runs }: { runs: readonly Run[] }) {
  const names = metricNames(runs.map(({ metrics }) => metrics));
  const dots = useMemo(() => metricDots(runs.map((run) => ({ label: labelOf(run, runs), metrics: run.metrics }))), [runs]);
  const params = compareParams(runs);
  return (
    <>
      <Panel title="Metrics" about="The best of each row is marked; intervals that overlap say that it may be chance.">
        <ScrollX label="Metrics side by side">
          <table className="plain">
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
              {names.map((name) => {
                const best = bestRun(runs, name);
                return (
                  <tr key={name}>
                    <th scope="row">{metricLabel(name)}</th>
                    {runs.map((run, index) => (
                      <td key={run.id} className="num">
                        {index === best ? <span className="chip brass">best</span> : null}{" "}
                        <Estimate estimate={run.metrics[name]} strong={index === best} />
                      </td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </ScrollX>
      </Panel>
      <div className="columns two">
        {names.slice(0, 4).map((name) => (
          <Panel key={name} title={metricLabel(name)}>
            <IntervalChart
              label={`${metricLabel(name)} of each run`}
              rows={dots.filter(({ metric }) => metric === metricLabel(name))}
            />
          </Panel>
        ))}
      </div>
      <Panel title="Params" about="Those that differ come first and are marked.">
        {params.length === 0 ? (
          <Empty title="These runs logged no params" />
        ) : (
          <ScrollX label="Params side by side">
            <table className="plain">
              <thead>
                <tr>
                  <th />
                  {runs.map((run) => (
                    <th key={run.id}>{labelOf(run, runs)}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {params.map(({ name, values, differs }) => (
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
        )}
      </Panel>
    </>
  );
}
