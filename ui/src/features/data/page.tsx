import "./page.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { Profile, Snapshot } from "../../../../src/contract/index.ts";
import { formatBytes, formatCount, formatInstant, formatShare, formatValue, shortId } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { Exploration } from "./exploration.tsx";
import { allExpectations, allViolations, barHeights, erasedText, nullShare, otherColumns, topShares } from "./prepare.ts";

export function DataPage() {
  const client = useClient();
  const snapshots = useQuery({ queryKey: ["snapshots"], queryFn: () => client.data.snapshots() });
  const { source } = useSearch({ from: "/data" });
  const shown = source ?? snapshots.data?.items[0]?.source;
  return (
    <>
      <PageHead title="Data" about="The latest immutable snapshot of every source, and how it kept to its contract." />
      <Loaded
        query={snapshots}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="No data yet">Ingest it with `orrery run` or start a pipeline.</Empty>}
      >
        {({ items }) => (
          <>
            <Panel title="Sources">
              <Sources snapshots={items} shown={shown} />
            </Panel>
            <Panel
              title="Contract violations"
              about="Counted, sampled, and set apart where the contract says so; never silently dropped."
            >
              <Violations snapshots={items} />
            </Panel>
            <Expectations snapshots={items} />
            <OtherColumns snapshots={items} />
          </>
        )}
      </Loaded>
      {shown === undefined ? null : <SourceProfile source={shown} />}
      {shown === undefined ? null : <Exploration key={shown} source={shown} />}
    </>
  );
}

function Sources({ snapshots, shown }: { snapshots: readonly Snapshot[]; shown: string | undefined }) {
  return (
    <ScrollX label="Sources">
      <table className="plain">
        <thead>
          <tr>
            <th>Source</th>
            <th className="num">Rows</th>
            <th className="num">Quarantined</th>
            <th className="num">Size</th>
            <th className="num">Parts</th>
            <th>As of</th>
            <th>Snapshot</th>
            {snapshots.some(({ erased }) => erased.length > 0) && <th>Erased</th>}
          </tr>
        </thead>
        <tbody>
          {snapshots.map((each) => (
            <tr key={each.id} className={each.source === shown ? "selected" : ""}>
              <th scope="row">
                <Link to="/data" search={{ source: each.source }} resetScroll={false}>
                  {each.source}
                </Link>
              </th>
              <td className="num">{formatCount(each.rows)}</td>
              <td className="num">{formatCount(each.quarantined)}</td>
              <td className="num">{formatBytes(each.bytes)}</td>
              <td className="num">{each.parts}</td>
              <td className="when">{formatInstant(each.asOf)}</td>
              <td>
                <code title={each.contentHash}>{shortId(each.contentHash)}</code>
              </td>
              {snapshots.some(({ erased }) => erased.length > 0) && <td>{erasedText(each)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

const SEVERITY = { warn: "warning", quarantine: "attention", stop: "critical" } as const;

function Violations({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const violations = allViolations(snapshots);
  if (violations.length === 0) return <Empty title="Every row keeps its contract" />;
  return (
    <ScrollX label="Contract violations">
      <table className="plain">
        <thead>
          <tr>
            <th>Column</th>
            <th>Rule</th>
            <th>What happens</th>
            <th className="num">Rows</th>
            <th>Samples</th>
          </tr>
        </thead>
        <tbody>
          {violations.map(({ source, column, rule, severity, rows, samples }) => (
            <tr key={`${source}.${column} ${rule}`}>
              <th scope="row">
                {source}.{column}
              </th>
              <td>{rule}</td>
              <td>
                <State status={SEVERITY[severity]} label={severity} />
              </td>
              <td className="num">{formatCount(rows)}</td>
              <td className="small">{samples.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function Expectations({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const expectations = allExpectations(snapshots);
  if (expectations.length === 0) return null;
  return (
    <Panel title="Expectations" about="What sources expect of their rows together: how many, how fresh, distributed as before.">
      <ScrollX label="Expectations">
        <table className="plain">
          <thead>
            <tr>
              <th>Source</th>
              <th>Found</th>
              <th>Result</th>
            </tr>
          </thead>
          <tbody>
            {expectations.map(({ source, rule, column, says, severity, kept }) => (
              <tr key={`${source} ${rule} ${column}`}>
                <th scope="row">{source}</th>
                <td>{says}</td>
                <td>
                  {kept === false ? (
                    <State status={SEVERITY[severity]} label="broken" />
                  ) : (
                    <span className="muted">{kept === null ? "not judged yet" : "kept"}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

function OtherColumns({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const columns = otherColumns(snapshots);
  if (columns.length === 0) return null;
  return (
    <Panel title="Columns other than declared" about="They were delivered so; what is not declared is not taken in.">
      <ScrollX label="Columns other than declared">
        <table className="plain">
          <tbody>
            {columns.map(({ name, says }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{says}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

function SourceProfile({ source }: { source: string }) {
  const client = useClient();
  const profile = useQuery({ queryKey: ["profile", source], queryFn: () => client.data.profile({ name: source }) });
  return (
    <Panel title={`Profile of ${source}`}>
      <Loaded query={profile} isEmpty={({ columns }) => columns.length === 0} empty={<Empty title="No columns" />}>
        {({ columns, rows }) => (
          <ScrollX label={`Profile of ${source}`}>
            <table className="plain">
              <thead>
                <tr>
                  <th>Column</th>
                  <th>Type</th>
                  <th className="num">Null</th>
                  <th className="num">Distinct, about</th>
                  <th className="num">Least</th>
                  <th className="num">Mean</th>
                  <th className="num">Greatest</th>
                  <th style={{ width: "34%" }}>Distribution</th>
                </tr>
              </thead>
              <tbody>
                {columns.map((column) => (
                  <ColumnRow key={column.name} column={column} rows={rows} />
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Loaded>
    </Panel>
  );
}

const bound = (value: string | number | null): string => (value === null ? "–" : formatValue(value));

function ColumnRow({ column, rows }: { column: Profile["columns"][number]; rows: number }) {
  const heights = barHeights(column.histogram);
  return (
    <tr>
      <th scope="row">{column.name}</th>
      <td className="muted">{column.type}</td>
      <td className="num">{formatShare(nullShare(column, rows))}</td>
      <td className="num">{formatCount(column.distinct)}</td>
      <td className="num">{bound(column.min)}</td>
      <td className="num">{bound(column.mean)}</td>
      <td className="num">{bound(column.max)}</td>
      <td>
        {heights.length > 0 ? (
          <div className="bars" role="img" aria-label={`Histogram of ${column.name}`}>
            {heights.map((height, bin) => (
              <span key={bin} style={{ height: `${Math.max(2, height * 100)}%` }} />
            ))}
          </div>
        ) : (
          <span className="small muted">
            {topShares(column, rows)
              .map(({ value, share }) => `${value} ${formatShare(share)}`)
              .join(", ")}
          </span>
        )}
      </td>
    </tr>
  );
}
