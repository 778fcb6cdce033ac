import "./models.css";
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RegisteredModel } from "../../../../src/contract/index.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { type DiffSection, diffSections, unknownFeatures } from "./diff-rows.ts";
import { newestFirst } from "./prepare.ts";

interface CompareProps {
  model: RegisteredModel;
  version: number;
  /** null: the model has one version. */
  from: number | null;
  onFrom: (from: number) => void;
}

/** What a version changed against another one. */
export function Compare({ model, version, from, onFrom }: CompareProps) {
  if (from === null) return <Empty title="There is no other version to compare with" />;
  return (
    <Panel
      title={`Version ${version} against version ${from}`}
      about="Only what differs is listed."
      actions={
        <Select
          aria-label="Compared with"
          allowDeselect={false}
          w={190}
          data={newestFirst(model.versions)
            .filter((each) => each.version !== version)
            .map((each) => ({ value: String(each.version), label: `against version ${each.version}` }))}
          value={String(from)}
          onChange={(next) => {
            if (next !== null) onFrom(Number(next));
          }}
        />
      }
    >
      <Diff name={model.name} from={from} to={version} />
    </Panel>
  );
}

function Diff({ name, from, to }: { name: string; from: number; to: number }) {
  const client = useClient();
  const diff = useQuery({ queryKey: ["model", name, "diff", from, to], queryFn: () => client.models.diff({ name, from, to }) });
  return (
    <Loaded query={diff}>
      {(data) => {
        const sections = diffSections(data);
        const unknown = unknownFeatures(data);
        return (
          <div className="stack">
            <p className="row" style={{ margin: 0 }}>
              Gate of version {from}: {data.gates.from === null ? "none" : <State status={data.gates.from.state} />}; of version{" "}
              {to}: {data.gates.to === null ? "none" : <State status={data.gates.to.state} />}
            </p>
            {sections.length === 0 ? <Empty title="Nothing that was recorded differs" /> : null}
            {sections.map((section) => (
              <Section key={section.title} section={section} from={from} to={to} />
            ))}
            {unknown === "" ? null : <p className="muted">{unknown}</p>}
          </div>
        );
      }}
    </Loaded>
  );
}

function Section({ section: { title, rows }, from, to }: { section: DiffSection; from: number; to: number }) {
  const moved = rows.some(({ by }) => by !== undefined);
  return (
    <ScrollX label={title}>
      <table className="plain version-diff">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th>Name</th>
            <th>Version {from}</th>
            <th>Version {to}</th>
            {moved ? <th className="num">Moved by</th> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">{row.key}</th>
              <td className="mono">{row.from ?? <span className="muted">none</span>}</td>
              <td className="mono differs">{row.to ?? <span className="muted">none</span>}</td>
              {moved ? <td className="num">{row.by}</td> : null}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
