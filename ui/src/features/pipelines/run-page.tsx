import "./run-page.css";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Fragment, useMemo } from "react";
import type { PipelineRun } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatDuration, formatInstant, formatSeconds } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State, ToneShape, toneOf } from "../../components/state.tsx";
import { POLL_MS } from "../../components/use-loop.ts";
import { useClient } from "../../session.tsx";
import { BOX, gantt, graph } from "./prepare.ts";

export function PipelineRunPage() {
  const client = useClient();
  const { id } = useParams({ from: "/pipelines/runs/$id" });
  const run = useQuery({
    queryKey: ["pipeline-run", id],
    queryFn: () => client.pipelines.run({ id }),
    refetchInterval: ({ state }) => (isOver(state.data) ? false : POLL_MS),
  });
  return (
    <>
      <PageHead
        kicker={<Link to="/pipelines">Pipelines</Link>}
        title={run.data === undefined ? "Pipeline run" : `A run of ${run.data.pipeline}`}
        about={<code>{id}</code>}
        actions={
          run.data === undefined ? null : (
            <>
              <State status={run.data.status} />
              {isOver(run.data) ? null : <CancelButton id={id} />}
            </>
          )
        }
      />
      <Loaded query={run}>{(data) => <Detail run={data} />}</Loaded>
    </>
  );
}

const isOver = (run: PipelineRun | undefined): boolean =>
  run !== undefined && run.status !== "queued" && run.status !== "running";

function CancelButton({ id }: { id: string }) {
  const client = useClient();
  const cache = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => client.pipelines.cancel({ id }),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["pipeline-run", id] }),
  });
  return (
    <>
      <Button size="compact-sm" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
        Cancel the run
      </Button>
      {cancel.error === null ? null : <ErrorNotice error={cancel.error} />}
    </>
  );
}

function Detail({ run }: { run: PipelineRun }) {
  if (run.steps.length === 0) return <Empty title="No step has been planned yet" />;
  return (
    <>
      <Panel title="Why and when">
        <dl className="facts">
          <dt>Started by</dt>
          <dd>
            {run.actor}, {run.trigger.kind}: {run.trigger.reason}
          </dd>
          <dt>Asked for</dt>
          <dd>{formatInstant(run.createdAt)}</dd>
          <dt>Took</dt>
          <dd>{formatDuration(run.startedAt, run.endedAt)}</dd>
          <dt>Trace</dt>
          <dd>
            <code>{run.traceId}</code>
          </dd>
        </dl>
      </Panel>
      <Panel title="Steps" about="What needs what">
        <StepGraph steps={run.steps} />
      </Panel>
      <Panel title="Time" about="Each step over the time of the whole run">
        <Gantt run={run} />
      </Panel>
    </>
  );
}

function StepGraph({ steps }: { steps: PipelineRun["steps"] }) {
  const { width, height, boxes, edges } = useMemo(() => graph(steps), [steps]);
  return (
    <ScrollX label="Graph of the steps">
      <svg className="graph" width={width} height={height} role="img" aria-label="Steps and what they need">
        {edges.map(({ id, path }) => (
          <path key={id} d={path} />
        ))}
        {boxes.map(({ step, x, y }) => {
          const tone = toneOf(step.status);
          return (
            <g key={step.step} transform={`translate(${x} ${y})`} className={`tone-${tone}`}>
              <title>{`${step.step}: ${step.status}`}</title>
              <rect width={BOX.width} height={BOX.height} rx="4" />
              <g transform={`translate(16 ${BOX.height / 2})`}>
                <ToneShape tone={tone} />
              </g>
              <text x="30" y={BOX.height / 2 + 4}>
                {step.step}
              </text>
            </g>
          );
        })}
      </svg>
    </ScrollX>
  );
}

function Gantt({ run }: { run: PipelineRun }) {
  const rows = useMemo(() => gantt(run), [run]);
  return (
    <div className="gantt">
      {rows.map(({ step, status, attempt, bar, seconds, error }) => (
        <Fragment key={step}>
          <strong>{step}</strong>
          <State status={status} label={attempt > 1 ? `${status}, attempt ${attempt}` : status} />
          <div className="track">
            {bar === null ? null : (
              <div
                className={`bar tone-${toneOf(status)}`}
                style={{ left: `${bar.from * 100}%`, width: `${bar.length * 100}%` }}
              />
            )}
          </div>
          <span className="num muted">{seconds === null ? "–" : formatSeconds(seconds)}</span>
          {error === null ? null : (
            <div className="notice bad" style={{ gridColumn: "1 / -1" }}>
              <p>
                <span className="code">{error.code}</span> <strong>{error.message}</strong>
              </p>
              <p>{error.hint}</p>
            </div>
          )}
        </Fragment>
      ))}
    </div>
  );
}
