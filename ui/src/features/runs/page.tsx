import { Button, MultiSelect, SegmentedControl } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { ListedRun } from "../../../../src/contract/index.ts";
import { useAddressPages } from "../../components/address-pages.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { FilterBox } from "../../components/filter-box.tsx";
import { filterFault } from "../../components/filter-fault.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel } from "../../components/page.tsx";
import { Pager } from "../../components/pager.tsx";
import { useClient } from "../../session.tsx";
import { ExperimentSelect } from "../experiments/experiment-select.tsx";
import { MOST_COMPARED, otherList, type RunsSearch, without } from "./address.ts";
import { columnChoices, nextSort, shownColumns } from "./columns.ts";
import { CONDITIONS, comparison, filterOf, PAGE_SIZE, runsQuery, toggleSelection, withCondition } from "./prepare.ts";
import { RunsTable } from "./runs-table.tsx";

export function RunsPage() {
  const client = useClient();
  const navigate = useNavigate({ from: "/runs" });
  const search = useSearch({ from: "/runs" });
  const [selected, setSelected] = useState<readonly string[]>([]);
  const query = runsQuery(search);
  const runs = useQuery({ queryKey: ["runs", query], queryFn: () => client.runs.list(query), placeholderData: keepPreviousData });
  const show = (next: RunsSearch) => void navigate({ search: next });
  const filter = filterOf(search);
  const fault = filterFault(runs.error, filter);
  const compare = comparison(selected);
  return (
    <>
      <PageHead
        kicker={<Link to="/experiments">All experiments</Link>}
        title="Runs"
        about="Every run with its metrics and params. A metric's second line is its 95% interval, where it was measured."
        actions={
          <Button
            disabled={!compare.possible}
            onClick={() => void navigate({ to: "/runs/compare", search: { ids: [...selected] } })}
          >
            {compare.label}
          </Button>
        }
      />
      <Panel
        title={search.view === "deleted" ? "Deleted runs" : "Runs"}
        about={`Up to ${MOST_COMPARED} can be compared at once.`}
      >
        <div className="stack">
          <Choices search={search} runs={runs.data?.items ?? []} onChange={show} />
          <FilterBox
            filter={filter}
            fault={fault}
            placeholder="metrics.auc > 0.9 AND params.model = 'forest'"
            onSearch={(next) => show(otherList(search, { filter: next }))}
          />
          <div className="row small muted">
            Only those that are
            {CONDITIONS.map(({ label, condition }) => (
              <Button
                key={condition}
                size="compact-xs"
                variant="default"
                title={condition}
                onClick={() => show(otherList(search, { filter: withCondition(filter, condition) }))}
              >
                {label}
              </Button>
            ))}
          </div>
          {fault === null ? <RunsList search={search} runs={runs} selected={selected} onSelect={setSelected} /> : null}
        </div>
      </Panel>
    </>
  );
}

interface ChoicesProps {
  search: RunsSearch;
  runs: readonly ListedRun[];
  onChange: (search: RunsSearch) => void;
}

function Choices({ search, runs, onChange }: ChoicesProps) {
  const shown = shownColumns(search, runs);
  return (
    <div className="row runs-choices">
      <ExperimentSelect
        value={search.experiment}
        onChange={(experiment) =>
          onChange(otherList(without(search, "experiment"), experiment === undefined ? {} : { experiment }))
        }
      />
      <MultiSelect
        label="Columns"
        className="runs-columns"
        placeholder="choose metrics, params, tags"
        searchable
        clearable
        hidePickedOptions
        limit={200}
        maxDropdownHeight={360}
        data={columnChoices(runs, shown)}
        value={shown}
        onChange={(columns) => onChange({ ...search, columns })}
      />
      <SegmentedControl
        aria-label="Which runs"
        data={[
          { value: "active", label: "Active" },
          { value: "deleted", label: "Deleted" },
        ]}
        value={search.view ?? "active"}
        onChange={(view) => onChange(otherList(without(search, "view"), view === "deleted" ? { view } : {}))}
      />
    </div>
  );
}

interface RunsListProps {
  search: RunsSearch;
  runs: ReturnType<typeof useQuery<Awaited<ReturnType<ReturnType<typeof useClient>["runs"]["list"]>>>>;
  selected: readonly string[];
  onSelect: (selected: readonly string[]) => void;
}

function RunsList({ search, runs, selected, onSelect }: RunsListProps) {
  const navigate = useNavigate({ from: "/runs" });
  const pages = useAddressPages(search);
  return (
    <>
      <RunsLife view={search.view ?? "active"} selected={selected} onDone={() => onSelect([])} />
      <Loaded
        query={runs}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="No runs">Train a model with `orrery train`, log a run, or loosen the filter.</Empty>}
      >
        {({ items, nextCursor }) => (
          <div className={runs.isPlaceholderData ? "stack stale" : "stack"} aria-busy={runs.isPlaceholderData}>
            <RunsTable
              runs={items}
              search={search}
              selected={selected}
              onToggle={(id) => onSelect(toggleSelection(selected, id))}
              onSelect={onSelect}
              onSort={(key) => void navigate({ search: otherList(without(search, "sort", "descending"), nextSort(search, key)) })}
            />
            <Pager pages={pages} next={nextCursor} count={items.length} size={PAGE_SIZE} words={["Previous", "Next"]} />
          </div>
        )}
      </Loaded>
    </>
  );
}

interface RunsLifeProps {
  view: "active" | "deleted";
  selected: readonly string[];
  onDone: () => void;
}

/** Deletes what is selected, or brings it back. */
function RunsLife({ view, selected, onDone }: RunsLifeProps) {
  const client = useClient();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: async (ids: readonly string[]) => {
      // One after the other: each is a transaction and a line of the trail.
      for (const id of ids) await (view === "active" ? client.runs.delete({ id }) : client.runs.restore({ id }));
    },
    onSuccess: onDone,
    // Also after a failure: some of them may be done.
    onSettled: () =>
      Promise.all([cache.invalidateQueries({ queryKey: ["runs"] }), cache.invalidateQueries({ queryKey: ["run"] })]),
  });
  const count = selected.length === 1 ? "one run" : `${selected.length} runs`;
  if (selected.length === 0) return change.error === null ? null : <ErrorNotice error={change.error} />;
  return (
    <div className="stack">
      <div className="row" role="status">
        <span>{selected.length} selected</span>
        {view === "active" ? (
          <AskFirst title={`Delete ${count}?`} verb="Delete" loading={change.isPending} onSure={() => change.mutate(selected)}>
            They can be restored until garbage is collected.
          </AskFirst>
        ) : (
          <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate(selected)}>
            Restore
          </Button>
        )}
        <Button size="compact-sm" variant="subtle" onClick={onDone}>
          Select none
        </Button>
      </div>
      {change.error === null ? null : <ErrorNotice error={change.error} />}
    </div>
  );
}
