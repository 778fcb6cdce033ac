import { Button } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatDuration, formatInstant, shortId } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { Pager, usePages } from "../../components/pager.tsx";
import { State } from "../../components/state.tsx";
import { POLL_MS } from "../../components/use-loop.ts";
import { useClient } from "../../session.tsx";

const PAGE_SIZE = 50;

export function PipelinesPage() {
  const client = useClient();
  const pipelines = useQuery({ queryKey: ["pipelines"], queryFn: () => client.pipelines.list() });
  return (
    <>
      <PageHead
        title="Pipelines"
        about="Steps run in processes of their own and survive a crash: a finished step is never repeated."
      />
      <Panel title="Defined">
        <Loaded
          query={pipelines}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty title="No pipelines">Define one with pipeline() in the project.</Empty>}
        >
          {({ items }) => (
            <ScrollX label="Pipelines">
              <table className="plain">
                <thead>
                  <tr>
                    <th>Pipeline</th>
                    <th>Schedule</th>
                    <th>Starts when</th>
                    <th>Stages</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {items.map((pipeline) => (
                    <tr key={pipeline.name}>
                      <th scope="row">{pipeline.name}</th>
                      <td>
                        {pipeline.schedule === null ? <span className="muted">none</span> : <code>{pipeline.schedule}</code>}
                      </td>
                      <td>
                        {pipeline.triggers.length === 0 ? <span className="muted">asked for</span> : pipeline.triggers.join("; ")}
                      </td>
                      <td>{pipeline.stages.join(" → ")}</td>
                      <td>
                        <StartButton name={pipeline.name} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollX>
          )}
        </Loaded>
      </Panel>
      <PipelineRuns />
    </>
  );
}

function StartButton({ name }: { name: string }) {
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    // One key a press: a request that the network repeats starts one run.
    mutationFn: () => client.pipelines.start({ name, dedupeKey: crypto.randomUUID(), reason: "asked for in the web UI" }),
    onSuccess: async ({ runId }) => {
      await cache.invalidateQueries({ queryKey: ["pipeline-runs"] });
      await navigate({ to: "/pipelines/runs/$id", params: { id: runId } });
    },
  });
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={`Start ${name}`}
        loading={start.isPending}
        onClick={() => start.mutate()}
      >
        Start
      </Button>
      {start.error === null ? null : <ErrorNotice error={start.error} />}
    </>
  );
}

function PipelineRuns() {
  const client = useClient();
  const pages = usePages();
  const query = { limit: PAGE_SIZE, ...(pages.cursor === undefined ? {} : { cursor: pages.cursor }) };
  const runs = useQuery({
    queryKey: ["pipeline-runs", query],
    queryFn: () => client.pipelines.runs(query),
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });
  return (
    <Panel title="Runs">
      <Loaded
        query={runs}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="Nothing has run yet">Start a pipeline above, or with `orrery run`.</Empty>}
      >
        {({ items, nextCursor }) => (
          <>
            <ScrollX label="Pipeline runs">
              <table className="plain">
                <thead>
                  <tr>
                    <th>Run</th>
                    <th>Pipeline</th>
                    <th>Status</th>
                    <th>Why</th>
                    <th>By</th>
                    <th>Started</th>
                    <th className="num">Took</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((run) => (
                    <tr key={run.id}>
                      <th scope="row">
                        <Link to="/pipelines/runs/$id" params={{ id: run.id }}>
                          <code>{shortId(run.id)}</code>
                        </Link>
                      </th>
                      <td>{run.pipeline}</td>
                      <td>
                        <State status={run.status} />
                      </td>
                      <td>
                        {run.trigger.kind}: {run.trigger.reason}
                      </td>
                      <td>{run.actor}</td>
                      <td className="when">{formatInstant(run.startedAt ?? run.createdAt)}</td>
                      <td className="num">{formatDuration(run.startedAt, run.endedAt)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollX>
            <Pager pages={pages} next={nextCursor} count={items.length} size={PAGE_SIZE} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}
