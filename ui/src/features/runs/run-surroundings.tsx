import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ListedRun, LoggedModel, Run } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant, metricLabel } from "../../components/format.ts";
import { Panel, ScrollX } from "../../components/page.tsx";
import { Pager, usePages } from "../../components/pager.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { runMetrics } from "./columns.ts";
import { childrenFilter, datasetRows, modelsFilter } from "./prepare-run.ts";

/** Nothing is drawn of what a run does not have. */
export function Datasets({ datasets }: { datasets: Run["datasets"] }) {
  const rows = datasetRows(datasets);
  if (rows.length === 0) return null;
  return (
    <Panel title="Data sets">
      <ScrollX label="Data sets">
        <table className="plain">
          <thead>
            <tr>
              <th>Name</th>
              <th>For</th>
              <th>Digest</th>
              <th>Size</th>
              <th>Source</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, name, context, digest, shape, source }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                <td>{context}</td>
                <td className="mono">{digest}</td>
                <td className="num">{shape}</td>
                <td className="mono small" style={{ overflowWrap: "anywhere" }}>
                  {source}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

export function LoggedModels({ id }: { id: string }) {
  const client = useClient();
  const query = { filter: modelsFilter(id), limit: 100 };
  const models = useQuery({ queryKey: ["run", id, "models"], queryFn: () => client.loggedModels.list(query) });
  if (models.error !== null) return <ErrorNotice error={models.error} onRetry={() => void models.refetch()} />;
  if (models.data === undefined || models.data.items.length === 0) return null;
  return (
    <Panel title="Logged models">
      <ScrollX label="Logged models">
        <table className="plain">
          <thead>
            <tr>
              <th>Model</th>
              <th>Status</th>
              <th>Type</th>
              <th>Made</th>
              <th>Lies at</th>
            </tr>
          </thead>
          <tbody>
            {models.data.items.map((model) => (
              <LoggedModelRow key={model.id} model={model} />
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

function LoggedModelRow({ model }: { model: LoggedModel }) {
  return (
    <tr>
      <th scope="row">
        {model.name}
        <br />
        <code className="small muted">{model.id}</code>
      </th>
      <td>
        <State status={model.status} />
      </td>
      <td>{model.modelType ?? ""}</td>
      <td className="when">{formatInstant(model.createdAt)}</td>
      <td className="mono small" style={{ overflowWrap: "anywhere" }}>
        {model.artifactLocation}
      </td>
    </tr>
  );
}

const CHILDREN_PAGE = 25;
const LEADING_METRICS = 4;

/** Runs below this one: trials of a search, folds, steps. */
export function ChildRuns({ run: { id, status } }: { run: Run }) {
  const client = useClient();
  const pages = usePages();
  const query = {
    filter: childrenFilter(id),
    limit: CHILDREN_PAGE,
    ...(pages.cursor !== undefined && { cursor: pages.cursor }),
  };
  const children = useQuery({
    queryKey: ["runs", query],
    queryFn: () => client.runs.list(query),
    placeholderData: keepPreviousData,
    refetchInterval: status === "running" ? 10_000 : false,
  });
  if (children.error !== null) return <ErrorNotice error={children.error} onRetry={() => void children.refetch()} />;
  if (children.data === undefined || children.data.items.length === 0) return null;
  const { items, nextCursor } = children.data;
  return (
    <Panel title="Runs below it">
      <div className="stack">
        <ChildrenTable runs={items} />
        <Pager pages={pages} next={nextCursor} count={items.length} size={CHILDREN_PAGE} />
      </div>
    </Panel>
  );
}

function ChildrenTable({ runs }: { runs: readonly ListedRun[] }) {
  const metrics = runMetrics(runs).slice(0, LEADING_METRICS);
  return (
    <ScrollX label="Runs below it">
      <table className="plain">
        <thead>
          <tr>
            <th>Run</th>
            <th>Status</th>
            {metrics.map((name) => (
              <th key={name} className="num">
                {metricLabel(name)}
              </th>
            ))}
            <th>Started</th>
            <th className="num">Took</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <th scope="row">
                <Link to="/runs/$id" params={{ id: run.id }}>
                  {run.name}
                </Link>
              </th>
              <td>
                <State status={run.status} />
              </td>
              {metrics.map((name) => (
                <td key={name} className="num">
                  {run.notFinite[name] ?? <Estimate estimate={run.metrics[name]} />}
                </td>
              ))}
              <td className="when">{formatInstant(run.startedAt)}</td>
              <td className="num">{formatDuration(run.startedAt, run.endedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
