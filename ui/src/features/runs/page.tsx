import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { RunSummary } from "../../../../src/contract/index.ts";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant, metricLabel } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { Pager, usePages } from "../../components/pager.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { leadingMetrics, MOST_COMPARED, runFilter, toggleSelection } from "./prepare.ts";

const PAGE_SIZE = 50;

export function RunsPage() {
  const client = useClient();
  const navigate = useNavigate();
  const pages = usePages();
  const [experiment, setExperiment] = useState("");
  const [status, setStatus] = useState<string | null>(null);
  const [trials, setTrials] = useState(false);
  const [selected, setSelected] = useState<string[]>([]);
  const [asked] = useDebouncedValue(experiment.trim(), 300);
  const query = {
    limit: PAGE_SIZE,
    ...(pages.cursor === undefined ? {} : { cursor: pages.cursor }),
    ...(asked === "" ? {} : { experiment: asked }),
    filter: runFilter(status, trials),
  };
  const runs = useQuery({ queryKey: ["runs", query], queryFn: () => client.runs.list(query), placeholderData: keepPreviousData });
  return (
    <>
      <PageHead
        title="Runs"
        about="Every training run with its metrics and their 95% intervals, newest first."
        actions={
          <Button
            disabled={selected.length < 2}
            onClick={() => void navigate({ to: "/runs/compare", search: { ids: selected } })}
          >
            {selected.length < 2 ? "Select runs to compare" : `Compare ${selected.length} runs`}
          </Button>
        }
      />
      <Panel title="Training runs" about={`Up to ${MOST_COMPARED} can be compared at once.`}>
        <div className="stack">
          <div className="row">
            <TextInput
              label="Experiment"
              placeholder="its exact name"
              value={experiment}
              onChange={(event) => {
                setExperiment(event.currentTarget.value);
                pages.first();
              }}
            />
            <Select
              label="Status"
              placeholder="any"
              clearable
              data={["running", "finished", "failed", "killed"]}
              value={status}
              onChange={(next) => {
                setStatus(next);
                pages.first();
              }}
            />
            <Checkbox
              label="Trials of searches"
              checked={trials}
              onChange={(event) => {
                setTrials(event.currentTarget.checked);
                pages.first();
              }}
            />
          </div>
          <Loaded
            query={runs}
            isEmpty={({ items }) => items.length === 0}
            empty={<Empty title="No runs">Train a model with `orrery train`, or loosen the filter.</Empty>}
          >
            {({ items, nextCursor }) => (
              <>
                <RunsTable runs={items} selected={selected} onToggle={(id) => setSelected(toggleSelection(selected, id))} />
                <Pager pages={pages} next={nextCursor} count={items.length} size={PAGE_SIZE} />
              </>
            )}
          </Loaded>
        </div>
      </Panel>
    </>
  );
}

interface RunsTableProps {
  runs: readonly RunSummary[];
  selected: readonly string[];
  onToggle: (id: string) => void;
}

function RunsTable({ runs, selected, onToggle }: RunsTableProps) {
  const metrics = leadingMetrics(runs);
  return (
    <ScrollX label="Training runs">
      <table className="plain">
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">Compare</span>
            </th>
            <th>Run</th>
            <th>Status</th>
            {metrics.map((name) => (
              <th key={name} className="num">
                {metricLabel(name)}
              </th>
            ))}
            <th>Started</th>
            <th className="num">Took</th>
            <th>By</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} className={selected.includes(run.id) ? "selected" : ""}>
              <td>
                <Checkbox
                  size="xs"
                  aria-label={`Compare ${run.name}`}
                  checked={selected.includes(run.id)}
                  onChange={() => onToggle(run.id)}
                />
              </td>
              <th scope="row">
                <Link to="/runs/$id" params={{ id: run.id }}>
                  {run.name}
                </Link>
                <br />
                <span className="small muted">{run.experiment}</span>
              </th>
              <td>
                <State status={run.status} />
              </td>
              {metrics.map((name) => (
                <td key={name} className="num">
                  <Estimate estimate={run.metrics[name]} />
                </td>
              ))}
              <td className="when">{formatInstant(run.startedAt)}</td>
              <td className="num">{formatDuration(run.startedAt, run.endedAt)}</td>
              <td>{run.actor}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
