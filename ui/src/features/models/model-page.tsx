import { Select, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { RegisteredModel } from "../../../../src/contract/index.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Markdown } from "../../components/markdown.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { Verdicts } from "../../components/verdicts.tsx";
import type { ModelTab } from "../../router.tsx";
import { useClient } from "../../session.tsx";
import { AliasForm } from "./alias-form.tsx";
import { defaultVersion, gateOf, newestFirst } from "./prepare.ts";
import { Candidates, ExplanationPanels, Segments } from "./report.tsx";

export function ModelPage() {
  const client = useClient();
  const { name } = useParams({ from: "/models/$name" });
  const model = useQuery({ queryKey: ["model", name], queryFn: () => client.models.get({ name }) });
  return (
    <Loaded query={model}>
      {(data) => {
        const version = defaultVersion(data);
        if (version !== null) return <ModelDetail model={data} first={version} />;
        return (
          <>
            <PageHead kicker={<Link to="/models">Models</Link>} title={name} />
            <Empty title="No versions yet" />
          </>
        );
      }}
    </Loaded>
  );
}

const TABS: readonly { tab: ModelTab; label: string }[] = [
  { tab: "versions", label: "Versions" },
  { tab: "gates", label: "Gate" },
  { tab: "candidates", label: "Candidates" },
  { tab: "explanation", label: "Explanation" },
  { tab: "segments", label: "Segments" },
  { tab: "card", label: "Model card" },
];

function ModelDetail({ model, first }: { model: RegisteredModel; first: number }) {
  const navigate = useNavigate({ from: "/models/$name" });
  const { version = first, tab = "versions" } = useSearch({ from: "/models/$name" });
  const aliases = model.versions.find((each) => each.version === version)?.aliases ?? [];
  const show = (next: { version?: number; tab?: ModelTab }) =>
    void navigate({ search: (previous) => ({ ...previous, ...next }), resetScroll: false, replace: true });
  return (
    <>
      <PageHead
        kicker={<Link to="/models">Models</Link>}
        title={model.name}
        actions={
          <>
            {aliases.map((alias) => (
              <span key={alias} className="chip brass">
                {alias}
              </span>
            ))}
            <Select
              aria-label="Version"
              allowDeselect={false}
              w={130}
              data={newestFirst(model.versions).map((each) => ({
                value: String(each.version),
                label: `Version ${each.version}`,
              }))}
              value={String(version)}
              onChange={(next) => {
                if (next !== null) show({ version: Number(next) });
              }}
            />
            <AliasForm key={version} model={model.name} version={version} />
            <AliasForm model={model.name} version={null} />
          </>
        }
      />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(value) => {
          const next = TABS.find((each) => each.tab === value);
          if (next !== undefined) show({ tab: next.tab });
        }}
      >
        <Tabs.List mb="md">
          {TABS.map((each) => (
            <Tabs.Tab key={each.tab} value={each.tab}>
              {each.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="versions">
          <Versions model={model} shown={version} onShow={(next) => show({ version: next })} />
        </Tabs.Panel>
        <Tabs.Panel value="gates">
          <GatePanel model={model} version={version} />
        </Tabs.Panel>
        {(["candidates", "explanation", "segments", "card"] as const).map((each) => (
          <Tabs.Panel key={each} value={each}>
            <Report model={model.name} version={version} tab={each} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}

function Report({
  model,
  version,
  tab,
}: {
  model: string;
  version: number;
  tab: "candidates" | "explanation" | "segments" | "card";
}) {
  const client = useClient();
  const report = useQuery({
    queryKey: ["report", model, version],
    queryFn: () => client.models.report({ name: model, version }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Loaded query={report}>
      {(data) => {
        switch (tab) {
          case "candidates":
            return <Candidates report={data} />;
          case "explanation":
            return data.explanation === null ? <NotExplained /> : <ExplanationPanels explanation={data.explanation} />;
          case "segments":
            return data.explanation === null ? <NotExplained /> : <Segments segments={data.explanation.segments} />;
          case "card":
            return (
              <Panel title="Model card">
                {data.cardMarkdown === "" ? <Empty title="No card yet" /> : <Markdown source={data.cardMarkdown} />}
              </Panel>
            );
        }
      }}
    </Loaded>
  );
}

const NotExplained = () => <Empty title="This version has not been explained yet">The pipeline's explain step does that.</Empty>;

function GatePanel({ model, version }: { model: RegisteredModel; version: number }) {
  const gate = gateOf(model.gates, version);
  if (gate === null) return <Empty title={`No gate has been opened for version ${version}`} />;
  const against = gate.championVersion === null ? "with no champion before it" : `against version ${gate.championVersion}`;
  return (
    <Panel
      title={`Gate of version ${version}`}
      about={`Opened ${formatInstant(gate.openedAt)}, ${against}`}
      actions={<State status={gate.state} />}
    >
      <Verdicts verdicts={gate.verdicts} />
    </Panel>
  );
}

function Versions({ model, shown, onShow }: { model: RegisteredModel; shown: number; onShow: (version: number) => void }) {
  return (
    <div className="stack">
      <Panel title="Versions">
        <ScrollX label="Versions">
          <table className="plain">
            <thead>
              <tr>
                <th>Version</th>
                <th>Aliases</th>
                <th>Gate</th>
                <th>Run</th>
                <th>Registered</th>
                <th>By</th>
                <th>Description</th>
              </tr>
            </thead>
            <tbody>
              {newestFirst(model.versions).map((each) => {
                const gate = gateOf(model.gates, each.version);
                return (
                  <tr key={each.version} className={each.version === shown ? "selected" : ""}>
                    <th scope="row">
                      <Link
                        to="/models/$name"
                        params={{ name: model.name }}
                        search={{ version: each.version, tab: "candidates" }}
                        onClick={() => onShow(each.version)}
                      >
                        {each.version}
                      </Link>
                    </th>
                    <td>
                      <span className="row">
                        {each.aliases.map((alias) => (
                          <span key={alias} className="chip brass">
                            {alias}
                          </span>
                        ))}
                      </span>
                    </td>
                    <td>{gate === null ? <span className="muted">none</span> : <State status={gate.state} />}</td>
                    <td>
                      {each.runId === null ? (
                        <span className="muted">none</span>
                      ) : (
                        <Link to="/runs/$id" params={{ id: each.runId }}>
                          run
                        </Link>
                      )}
                    </td>
                    <td className="when">{formatInstant(each.createdAt)}</td>
                    <td>{each.actor}</td>
                    <td>{each.description}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </ScrollX>
      </Panel>
      <Panel title="Promotion history" about="Who moved which alias, when and why; also what was refused.">
        {model.promotions.length === 0 ? (
          <Empty title="No alias has been moved yet" />
        ) : (
          <ScrollX label="Promotion history">
            <table className="plain">
              <thead>
                <tr>
                  <th>When</th>
                  <th>Decision</th>
                  <th>Alias</th>
                  <th>Versions</th>
                  <th>By</th>
                  <th>Reason</th>
                </tr>
              </thead>
              <tbody>
                {[...model.promotions]
                  .sort((a, b) => b.at.localeCompare(a.at))
                  .map((each) => (
                    <tr key={each.id}>
                      <td className="when">{formatInstant(each.at)}</td>
                      <td>
                        <State status={each.decision} />
                      </td>
                      <td>{each.alias}</td>
                      <td className="nowrap">
                        {each.fromVersion ?? "none"} → {each.toVersion}
                      </td>
                      <td>{each.actor}</td>
                      <td>{each.reason}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Panel>
    </div>
  );
}
