import { Button, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import type { Run } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { metricLabel } from "../../components/format.ts";
import { Panel } from "../../components/page.tsx";
import { runMetrics } from "./columns.ts";
import { CurveChart } from "./curve-chart.tsx";
import { CurveControls } from "./curve-controls.tsx";
import { type Axis, curveChart, type History, sortHistories } from "./curves.ts";
import { metricsNamed } from "./prepare-run.ts";
import { useHistories } from "./use-history.ts";

/** Histories are asked for a few at a time: a run may have hundreds of metrics. */
const AT_ONCE = 6;

/** Every metric's values as they were logged. */
export function RunCurves({ run }: { run: Run }) {
  const [text, setText] = useState("");
  const [shown, setShown] = useState(AT_ONCE);
  const [axis, setAxis] = useState<Axis>("step");
  const [logarithmic, setLogarithmic] = useState(false);
  const all = runMetrics([run]);
  const named = metricsNamed(all, text);
  const names = named.slice(0, shown);
  const histories = useHistories(names.map((key) => ({ id: run.id, key, live: run.status === "running" })));
  if (all.length === 0) return null;
  const failed = histories.find(({ error }) => error !== null);
  const read = names.flatMap((name, index) => {
    const history = histories[index]?.data;
    return history === undefined ? [] : [{ name, history }];
  });
  const { curves, once } = sortHistories(read);
  return (
    <Panel title="Curves" about="Metrics as they were logged.">
      <div className="stack">
        <CurveControls
          {...{ axis, logarithmic }}
          onAxis={setAxis}
          onLogarithmic={setLogarithmic}
          choice={
            <TextInput
              label="Metrics"
              placeholder="a part of the name"
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value);
                setShown(AT_ONCE);
              }}
            />
          }
        />
        {failed === undefined ? null : <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />}
        <div className={curves.length > 1 ? "columns two" : "columns"}>
          {read
            .filter(({ name }) => curves.includes(name))
            .map(({ name, history }) => (
              <MetricCurve key={name} {...{ name, history, axis, logarithmic }} />
            ))}
        </div>
        {once.length === 0 ? null : <p className="muted small">Logged once: {once.map(metricLabel).join(", ")}.</p>}
        {histories.some(({ isPending }) => isPending) ? <p role="status">Loading…</p> : null}
        {named.length > shown ? (
          <div>
            <Button variant="default" size="compact-sm" onClick={() => setShown(shown + AT_ONCE)}>
              Show more of {named.length} metrics
            </Button>
          </div>
        ) : null}
      </div>
    </Panel>
  );
}

interface MetricCurveProps {
  name: string;
  history: History;
  axis: Axis;
  logarithmic: boolean;
}

function MetricCurve({ name, history, axis, logarithmic }: MetricCurveProps) {
  const label = metricLabel(name);
  const data = useMemo(() => curveChart([{ label, history, style: 0 }], axis, logarithmic), [label, history, axis, logarithmic]);
  const count = history.points.length.toLocaleString("en");
  return (
    <div>
      <h3 className="curve-title">{label}</h3>
      <CurveChart
        label={`${label} of this run`}
        data={data}
        caption={history.complete ? `${count} values` : `The first ${count} values; there are more.`}
      />
    </div>
  );
}
