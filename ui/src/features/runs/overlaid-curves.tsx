import { Select } from "@mantine/core";
import { useMemo, useState } from "react";
import type { ListedRun } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { metricLabel } from "../../components/format.ts";
import { Empty } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { labelOf } from "./compare.ts";
import { CurveChart, CurveLegend } from "./curve-chart.tsx";
import { CurveControls } from "./curve-controls.tsx";
import { type Axis, curveChart, hasCurve } from "./curves.ts";
import { useCurvedMetric, useHistories } from "./use-history.ts";

/** One metric of all runs, on one pair of axes. */
export function OverlaidCurves({ runs, metrics }: { runs: readonly ListedRun[]; metrics: readonly string[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [axis, setAxis] = useState<Axis>("step");
  const [logarithmic, setLogarithmic] = useState(false);
  const curved = useCurvedMetric(runs[0]?.id ?? "", metrics);
  const metric = chosen ?? curved ?? metrics[0];
  const having = runs.filter((run) => metric !== undefined && (metric in run.metrics || metric in run.notFinite));
  const histories = useHistories(having.map((run) => ({ id: run.id, key: metric ?? "", live: run.status === "running" })));
  const failed = histories.find(({ error }) => error !== null);
  const read = having.flatMap((run, style) => {
    const history = histories[style]?.data;
    return history === undefined ? [] : [{ label: labelOf(run, runs), history, style }];
  });
  const when = histories.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  // `read` is made anew at every drawing; `when` and the metric say whether it changed.
  const data = useMemo(() => curveChart(read, axis, logarithmic), [when, metric, axis, logarithmic]);
  const pending = histories.some(({ isPending }) => isPending);
  if (metric === undefined) return null;
  return (
    <Panel title="Curves" about="A metric's values as they were logged, of every run that has it.">
      <div className="stack">
        <CurveControls
          {...{ axis, logarithmic }}
          onAxis={setAxis}
          onLogarithmic={setLogarithmic}
          choice={
            <Select
              label="Metric"
              searchable
              allowDeselect={false}
              data={metrics.map((name) => ({ value: name, label: metricLabel(name) }))}
              value={metric}
              onChange={setChosen}
            />
          }
        />
        {failed === undefined ? null : <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />}
        {pending ? <p role="status">Loading…</p> : null}
        {pending ? null : !hasCurve(data) ? (
          <Empty title={`${metricLabel(metric)} was logged once a run`}>Another metric may have a curve.</Empty>
        ) : (
          <>
            <CurveLegend data={data} />
            <CurveChart label={`${metricLabel(metric)} of each run`} data={data} />
          </>
        )}
      </div>
    </Panel>
  );
}
