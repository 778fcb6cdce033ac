import "./run-page.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Run } from "../../../../src/contract/index.ts";
import { Estimate } from "../../components/estimate.tsx";
import { formatBytes, formatDuration, formatInstant, metricLabel, metricNames, shortId } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";

export function RunPage() {
  const client = useClient();
  const { id } = useParams({ from: "/runs/$id" });
  const run = useQuery({ queryKey: ["run", id], queryFn: () => client.runs.get({ id }) });
  return (
    <>
      <PageHead
        kicker={<Link to="/runs">Runs</Link>}
        title={run.data?.name ?? "Run"}
        about={<code>{id}</code>}
        actions={run.data === undefined ? null : <State status={run.data.status} />}
      />
      <Loaded query={run}>{(data) => <RunDetail run={data} />}</Loaded>
    </>
  );
}

function RunDetail({ run }: { run: Run }) {
  return (
    <>
      <div className="columns two">
        <Panel title="Metrics" about="With 95% intervals that resample days.">
          <Metrics run={run} />
        </Panel>
        <Panel title="Where it comes from">
          <Origin run={run} />
        </Panel>
        <Panel title="Params">
          <Pairs pairs={run.params} none="No params were logged" />
        </Panel>
        <Panel title="Tags">
          <Pairs pairs={run.tags} none="No tags" />
        </Panel>
      </div>
      <Panel title="Artifacts">
        <Artifacts artifacts={run.artifacts} />
      </Panel>
      {run.gitDiff === null || run.gitDiff === "" ? null : (
        <Panel title="Uncommitted changes" about="The working tree differed from the commit when this ran.">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
          <pre className="diff" tabIndex={0}>
            {run.gitDiff}
          </pre>
        </Panel>
      )}
    </>
  );
}

function Metrics({ run }: { run: Run }) {
  const names = metricNames([run.metrics]);
  if (names.length === 0) return <Empty title="No metrics yet" />;
  return (
    <table className="plain">
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{metricLabel(name)}</th>
            <td className="num">
              <Estimate estimate={run.metrics[name]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Origin({ run }: { run: Run }) {
  return (
    <dl className="facts">
      <dt>Experiment</dt>
      <dd>{run.experiment}</dd>
      <dt>Started</dt>
      <dd>
        {formatInstant(run.startedAt)}, took {formatDuration(run.startedAt, run.endedAt)}
      </dd>
      <dt>By</dt>
      <dd>{run.actor}</dd>
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
      <dd>{run.gitCommit === null ? "not in a Git repository" : <code>{run.gitCommit}</code>}</dd>
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

function Pairs({ pairs, none }: { pairs: Readonly<Record<string, string>>; none: string }) {
  const entries = Object.entries(pairs).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <Empty title={none} />;
  return (
    <dl className="facts">
      {entries.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd className="mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Artifacts({ artifacts }: { artifacts: Run["artifacts"] }) {
  if (artifacts.length === 0) return <Empty title="No artifacts" />;
  return (
    <ScrollX label="Artifacts">
      <table className="plain">
        <thead>
          <tr>
            <th>Path</th>
            <th>Type</th>
            <th className="num">Size</th>
            <th>SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {artifacts.map(({ path, mediaType, bytes, sha256 }) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td>{mediaType}</td>
              <td className="num">{formatBytes(bytes)}</td>
              <td>
                <code title={sha256}>{shortId(sha256)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
