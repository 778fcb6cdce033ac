import "./run-page.css";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { Run } from "../../../../src/contract/index.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant, metricLabel, shortId } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Markdown } from "../../components/markdown.tsx";
import { PageHead, Panel } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { ArtifactBrowser } from "./artifact-browser.tsx";
import { runMetrics } from "./columns.ts";
import { noteOf, pairsOf } from "./prepare-run.ts";
import { RunCurves } from "./run-curves.tsx";
import { ChildRuns, Datasets, LoggedModels } from "./run-surroundings.tsx";
import { Tags } from "./tags.tsx";

const LIVE_MS = 10_000;

export function RunPage() {
  const client = useClient();
  const { id } = useParams({ from: "/runs/$id" });
  const run = useQuery({
    queryKey: ["run", id],
    queryFn: () => client.runs.get({ id }),
    refetchInterval: ({ state }) => (state.data?.status === "running" ? LIVE_MS : false),
  });
  return (
    <>
      <PageHead
        kicker={
          <>
            <Link to="/runs">Runs</Link>
            {run.data === undefined ? null : (
              <>
                {" / "}
                <Link to="/runs" search={{ experiment: run.data.experimentId }}>
                  {run.data.experiment}
                </Link>
              </>
            )}
          </>
        }
        title={run.data?.name ?? "Run"}
        about={<code>{id}</code>}
        actions={run.data === undefined ? null : <RunLife run={run.data} />}
      />
      <Loaded query={run}>{(data) => <RunDetail run={data} />}</Loaded>
    </>
  );
}

/** Its state, and the way to delete it and bring it back. */
function RunLife({ run: { id, name, status, lifecycle } }: { run: Run }) {
  const client = useClient();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: () => (lifecycle === "active" ? client.runs.delete({ id }) : client.runs.restore({ id })),
    onSuccess: () =>
      Promise.all([cache.invalidateQueries({ queryKey: ["run", id] }), cache.invalidateQueries({ queryKey: ["runs"] })]),
  });
  return (
    <>
      {change.error === null ? null : <ErrorNotice error={change.error} />}
      {lifecycle === "deleted" ? <span className="chip">deleted</span> : null}
      <State status={status} />
      {lifecycle === "active" ? (
        <AskFirst title={`Delete ${name}?`} verb="Delete" loading={change.isPending} onSure={() => change.mutate()}>
          It can be restored until garbage is collected.
        </AskFirst>
      ) : (
        <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate()}>
          Restore
        </Button>
      )}
    </>
  );
}

function RunDetail({ run }: { run: Run }) {
  const { artifact = "" } = useSearch({ from: "/runs/$id" });
  const note = noteOf(run);
  return (
    <>
      {note === "" ? null : (
        <Panel title="Note">
          <Markdown source={note} />
        </Panel>
      )}
      <div className="columns two">
        <Panel title="Metrics" about="The last value of each, with its 95% interval where it was measured.">
          <Metrics run={run} />
        </Panel>
        <Panel title="Where it comes from">
          <Origin run={run} />
        </Panel>
      </div>
      <RunCurves run={run} />
      <div className="columns two">
        <Panel title="Params">
          <Params params={run.params} />
        </Panel>
        <Panel title="Tags">
          <Tags run={run} />
        </Panel>
      </div>
      <Datasets datasets={run.datasets} />
      <LoggedModels id={run.id} />
      <ChildRuns run={run} />
      <Panel title="Artifacts">
        <ArtifactBrowser run={run} path={artifact} />
      </Panel>
    </>
  );
}

function Metrics({ run }: { run: Run }) {
  const names = runMetrics([run]);
  if (names.length === 0) return <Empty title="No metrics yet" />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className="tall" aria-label="Metrics" tabIndex={0}>
      <table className="plain">
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{metricLabel(name)}</th>
              <td className="num">{run.notFinite[name] ?? <Estimate estimate={run.metrics[name]} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Origin({ run }: { run: Run }) {
  return (
    <dl className="facts">
      <dt>Experiment</dt>
      <dd>
        <Link to="/runs" search={{ experiment: run.experimentId }}>
          {run.experiment}
        </Link>
      </dd>
      <dt>Started</dt>
      <dd>
        {formatInstant(run.startedAt)}, took {formatDuration(run.startedAt, run.endedAt)}
      </dd>
      <dt>By</dt>
      <dd>{run.userName === "" || run.userName === run.actor ? run.actor : `${run.userName} (${run.actor})`}</dd>
      {run.parentRunId === null ? null : (
        <>
          <dt>Part of</dt>
          <dd>
            <Link to="/runs/$id" params={{ id: run.parentRunId }}>
              {shortId(run.parentRunId)}
            </Link>
          </dd>
        </>
      )}
      <dt>Commit</dt>
      <dd>{run.gitCommit === null ? "not known" : <code>{run.gitCommit}</code>}</dd>
      {run.gitDiff === null || run.gitDiff === "" ? null : (
        <>
          <dt>Uncommitted changes</dt>
          <dd>
            The working tree differed from the commit: <code title={run.gitDiff}>{shortId(run.gitDiff)}</code>
          </dd>
        </>
      )}
      <dt>Data snapshots</dt>
      <dd>
        {run.snapshots.length === 0
          ? "none"
          : run.snapshots.map((snapshot) => (
              <div key={snapshot}>
                <code>{snapshot}</code>
              </div>
            ))}
      </dd>
      <dt>Trace</dt>
      <dd>{run.traceId === null ? "none" : <code>{run.traceId}</code>}</dd>
    </dl>
  );
}

function Params({ params }: { params: Run["params"] }) {
  const pairs = pairsOf(params);
  if (pairs.length === 0) return <Empty title="No params were logged" />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className="tall" aria-label="Params" tabIndex={0}>
      <dl className="facts">
        {pairs.map(({ key, value }) => (
          <div key={key} style={{ display: "contents" }}>
            <dt>{key}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
