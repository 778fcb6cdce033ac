import { Select } from "@mantine/core";
import { useMemo, useState } from "react";
import type { ExplanationSummary, ModelReport } from "../../../../src/contract/index.ts";
import { Estimate } from "../../components/estimate.tsx";
import { formatCount, metricLabel, metricNames, scaleLabel } from "../../components/format.ts";
import { IntervalChart } from "../../components/interval-chart.tsx";
import { Empty } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { ImportanceChart, SwarmChart } from "./charts.tsx";
import { permutationBars, rankCandidates, rankSegments, shapBars, swarm } from "./prepare.ts";

/** The metric in use: the chosen one while it exists, else the first. */
function useMetric(names: readonly string[]) {
  const [chosen, choose] = useState<string | null>(null);
  const metric = names.find((name) => name === chosen) ?? names[0] ?? "";
  const picker = (
    <Select
      aria-label="Metric"
      size="xs"
      w={170}
      allowDeselect={false}
      data={names.map((name) => ({ value: name, label: metricLabel(name) }))}
      value={metric}
      onChange={choose}
    />
  );
  return { metric, picker };
}

export function Candidates({ report }: { report: ModelReport }) {
  const names = metricNames(report.candidates.map(({ metrics }) => metrics));
  const { metric, picker } = useMetric(names);
  const ranked = useMemo(() => rankCandidates(report.candidates, metric), [report.candidates, metric]);
  const rows = useMemo(
    () =>
      ranked.flatMap(({ name, metrics }) => {
        const estimate = metrics[metric];
        return estimate === undefined ? [] : [{ row: name, ...estimate }];
      }),
    [ranked, metric],
  );
  if (report.candidates.length === 0) return <Empty title="No candidates were kept with this version" />;
  return (
    <div className="stack">
      <Panel
        title="Candidates and what they have to beat"
        about="All on the same selection rows; 95% intervals resample days."
        actions={picker}
      >
        <IntervalChart label={`${metricLabel(metric)} of each candidate`} rows={rows} />
        <ScrollX label="Candidates">
          <table className="plain">
            <thead>
              <tr>
                <th>Candidate</th>
                {names.map((name) => (
                  <th key={name} className="num">
                    {metricLabel(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {ranked.map((candidate) => (
                <tr key={candidate.name} className={candidate.selected ? "selected" : ""}>
                  <th scope="row">
                    {candidate.name} {candidate.selected ? <span className="chip brass">selected</span> : null}
                  </th>
                  {names.map((name) => (
                    <td key={name} className="num">
                      <Estimate estimate={candidate.metrics[name]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      </Panel>
      <TestPanel test={report.test} />
    </div>
  );
}

function TestPanel({ test }: { test: ModelReport["test"] }) {
  if (test === null) {
    return (
      <Panel title="Test">
        <Empty title="Test is still closed">It is opened once, for the gate.</Empty>
      </Panel>
    );
  }
  const positiveRows = test.positives === null ? [] : [`${formatCount(test.positives)} positive`];
  return (
    <Panel
      title="Test"
      about={`Opened once, for the gate: ${[`${formatCount(test.rows)} rows`, ...positiveRows, `${test.days} days`].join(", ")}`}
    >
      <ScrollX label="Test metrics">
        <table className="plain">
          <thead>
            <tr>
              {metricNames([test.metrics]).map((name) => (
                <th key={name} className="num">
                  {metricLabel(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              {metricNames([test.metrics]).map((name) => (
                <td key={name} className="num">
                  <Estimate estimate={test.metrics[name]} />
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

export function ExplanationPanels({ explanation }: { explanation: ExplanationSummary }) {
  const shap = useMemo(() => shapBars(explanation), [explanation]);
  const permutation = useMemo(() => permutationBars(explanation), [explanation]);
  const dots = useMemo(
    () =>
      swarm(
        explanation.sample,
        explanation.shap.slice(0, 15).map(({ feature }) => feature),
      ),
    [explanation],
  );
  return (
    <div className="stack">
      <Panel
        title="SHAP values"
        about={`Each dot is one row: how far the feature moved the prediction, in the ${scaleLabel(explanation.scale)}, coloured by the feature's value.`}
      >
        {dots.length === 0 ? (
          <Empty title="No sample was kept" />
        ) : (
          <SwarmChart dots={dots} scale={scaleLabel(explanation.scale)} />
        )}
      </Panel>
      <div className="columns two">
        <Panel title="Mean |SHAP value|" about={`In the ${scaleLabel(explanation.scale)}`}>
          {shap.length === 0 ? (
            <Empty title="Not computed" />
          ) : (
            <ImportanceChart label="Mean absolute SHAP value by feature" bars={shap} />
          )}
        </Panel>
        <Panel title="Permutation importance" about="Loss of the metric when the feature is shuffled, with its interval">
          {permutation.length === 0 ? (
            <Empty title="Not computed" />
          ) : (
            <ImportanceChart label="Permutation importance by feature" bars={permutation} />
          )}
        </Panel>
      </div>
    </div>
  );
}

export function Segments({ segments }: { segments: ExplanationSummary["segments"] }) {
  const names = metricNames(segments.map(({ metrics }) => metrics));
  const { metric, picker } = useMetric(names);
  const ranked = useMemo(() => rankSegments(segments, metric), [segments, metric]);
  const rows = useMemo(
    () =>
      ranked.flatMap(({ name, metrics }) => {
        const estimate = metrics[metric];
        return estimate === undefined ? [] : [{ row: name, ...estimate }];
      }),
    [ranked, metric],
  );
  const countsPositives = segments.some(({ positives }) => positives !== null);
  if (segments.length === 0) return <Empty title="No segments are asked for">Name them in the model's `explain.segments`.</Empty>;
  return (
    <Panel title="Segments" about="Worst first. A dash: too few labels to tell." actions={picker}>
      <div className="columns two">
        <IntervalChart label={`${metricLabel(metric)} of each segment`} rows={rows} />
        <ScrollX label="Segments">
          <table className="plain">
            <thead>
              <tr>
                <th>Segment</th>
                <th className="num">Rows</th>
                {countsPositives ? <th className="num">Positive</th> : null}
                <th className="num">{metricLabel(metric)}</th>
              </tr>
            </thead>
            <tbody>
              {ranked.map((segment) => (
                <tr key={segment.name}>
                  <th scope="row">{segment.name}</th>
                  <td className="num">{formatCount(segment.rows)}</td>
                  {countsPositives ? <td className="num">{formatCount(segment.positives ?? 0)}</td> : null}
                  <td className="num">
                    <Estimate estimate={segment.metrics[metric]} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      </div>
    </Panel>
  );
}
