import "./runs.css";
import { Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ListedRun } from "../../../../src/contract/index.ts";
import { Estimate } from "../../components/estimate.tsx";
import { formatDuration, formatInstant } from "../../components/format.ts";
import { ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import type { RunsSearch } from "./address.ts";
import { cellOf, columnLabel, columnOf, directionOf, shownColumns } from "./columns.ts";
import { togglePage } from "./prepare.ts";

interface RunsTableProps {
  runs: readonly ListedRun[];
  search: RunsSearch;
  selected: readonly string[];
  onToggle: (id: string) => void;
  onSelect: (selected: readonly string[]) => void;
  onSort: (key: string) => void;
}

export function RunsTable({ runs, search, selected, onToggle, onSelect, onSort }: RunsTableProps) {
  const columns = shownColumns(search, runs);
  const ids = runs.map(({ id }) => id);
  const chosen = ids.filter((id) => selected.includes(id)).length;
  const head = (key: string, label: string, numeric = false) => (
    <SortHead key={key} column={key} label={label} numeric={numeric} search={search} onSort={onSort} />
  );
  return (
    <ScrollX label="Runs">
      <table className="plain runs">
        <thead>
          <tr>
            <th>
              <Checkbox
                size="xs"
                aria-label="Select this page"
                checked={chosen > 0 && chosen === ids.length}
                indeterminate={chosen > 0 && chosen < ids.length}
                onChange={() => onSelect(togglePage(selected, ids))}
              />
            </th>
            {head("attributes.run_name", "Run")}
            {head("attributes.status", "Status")}
            {columns.map((key) => head(key, columnLabel(key), columnOf(key)?.room === "metrics"))}
            {head("attributes.start_time", "Started")}
            <th className="num">Took</th>
            {head("attributes.actor", "By")}
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
                <span className="small muted">
                  {run.experiment}
                  {run.parentRunId === null ? "" : ", below another run"}
                </span>
              </th>
              <td>
                <State status={run.status} />
              </td>
              {columns.map((key) => (
                <RunCell key={key} run={run} column={key} />
              ))}
              <td className="when">{formatInstant(run.startedAt)}</td>
              <td className="num">{formatDuration(run.startedAt, run.endedAt)}</td>
              <td>{run.userName === "" ? run.actor : run.userName}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function RunCell({ run, column }: { run: ListedRun; column: string }) {
  const cell = cellOf(run, column);
  const className = columnOf(column)?.room === "metrics" ? "num" : "value";
  return (
    <td className={className} title={cell.kind === "text" ? cell.text : undefined}>
      {cell.kind === "estimate" ? <Estimate estimate={cell.estimate} /> : null}
      {cell.kind === "text" ? cell.text : null}
      {cell.kind === "none" ? <span className="muted">–</span> : null}
    </td>
  );
}

const SIGN = { ascending: "▲", descending: "▼" } as const;

interface SortHeadProps {
  column: string;
  label: string;
  numeric: boolean;
  search: RunsSearch;
  onSort: (key: string) => void;
}

function SortHead({ column, label, numeric, search, onSort }: SortHeadProps) {
  const direction = directionOf(search, column);
  return (
    <th className={numeric ? "num" : ""} aria-sort={direction ?? "none"}>
      <button type="button" className="sort" title={`Sort by ${column}`} onClick={() => onSort(column)}>
        {label} <span aria-hidden="true">{direction === null ? "" : SIGN[direction]}</span>
      </button>
    </th>
  );
}
