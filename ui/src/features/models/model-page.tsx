import { Select, Tabs } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { RegisteredModel } from "../../../../src/contract/index.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Markdown } from "../../components/markdown.tsx";
import { PageHead, Panel } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import type { ModelSearch, ModelTab } from "./address.ts";
import { AskReason, refreshModel } from "./ask-reason.tsx";
import { Compare } from "./compare.tsx";
import { GatePanel } from "./gate-panel.tsx";
import { Lineage } from "./lineage.tsx";
import { comparedWith, defaultVersion, isReportMissing, newestFirst } from "./prepare.ts";
import { Candidates, ExplanationPanels, Segments } from "./report.tsx";
import { VersionAbout } from "./version-about.tsx";
import { PromotionHistory, Versions } from "./versions.tsx";

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
            <PageHead
              kicker={<Link to="/models">Models</Link>}
              title={name}
              about={data.description === "" ? undefined : data.description}
              actions={<DeleteModel name={name} />}
            />
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
  { tab: "compare", label: "Compare" },
  { tab: "lineage", label: "Lineage" },
  { tab: "candidates", label: "Candidates" },
  { tab: "explanation", label: "Explanation" },
  { tab: "segments", label: "Segments" },
  { tab: "card", label: "Model card" },
];

function ModelDetail({ model, first }: { model: RegisteredModel; first: number }) {
  const client = useClient();
  const navigate = useNavigate({ from: "/models/$name" });
  const { version = first, tab = "versions", from } = useSearch({ from: "/models/$name" });
  const { name } = model;
  const shown = model.versions.find((each) => each.version === version);
  if (shown === undefined) return <NoVersion name={name} version={version} first={first} />;
  const show = (next: ModelSearch) =>
    void navigate({ search: (previous) => ({ ...previous, ...next }), resetScroll: false, replace: true });
  return (
    <>
      <PageHead
        kicker={<Link to="/models">Models</Link>}
        title={name}
        about={model.description === "" ? undefined : model.description}
        actions={
          <>
            {shown.aliases.map((alias) => (
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
            <AskReason
              key={version}
              model={name}
              verb="Promote"
              title={`Promote version ${version} to champion`}
              onReason={(reason, idempotencyKey) => client.models.promote({ name, version, reason, idempotencyKey })}
            />
            <AskReason
              model={name}
              verb="Roll back"
              title="Roll the champion back"
              onReason={(reason, idempotencyKey) => client.models.rollback({ name, reason, idempotencyKey })}
            />
            <DeleteModel name={name} />
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
          <div className="stack">
            <Versions model={model} shown={version} onShow={(next) => show({ version: next })} />
            <VersionAbout key={version} version={shown} />
            <PromotionHistory model={model} />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="gates">
          <GatePanel model={model} version={version} />
        </Tabs.Panel>
        <Tabs.Panel value="compare">
          <Compare
            model={model}
            version={version}
            from={from === undefined || from === version ? comparedWith(model.versions, version) : from}
            onFrom={(next) => show({ from: next })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="lineage">
          <Lineage name={name} version={version} />
        </Tabs.Panel>
        {(["candidates", "explanation", "segments", "card"] as const).map((each) => (
          <Tabs.Panel key={each} value={each}>
            {shown.artifact === null ? <NoPackage /> : <Report model={name} version={version} tab={each} />}
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
  if (isReportMissing(report.error)) return <NoPackage />;
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

function NoVersion({ name, version, first }: { name: string; version: number; first: number }) {
  return (
    <>
      <PageHead kicker={<Link to="/models">Models</Link>} title={name} />
      <Empty title={`There is no version ${version}`}>
        <Link to="/models/$name" params={{ name }} search={{ version: first }}>
          Look at version {first}
        </Link>
      </Empty>
    </>
  );
}

function DeleteModel({ name }: { name: string }) {
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => client.models.delete({ name }),
    onSuccess: async () => {
      await navigate({ to: "/models" });
      await refreshModel(cache, name);
    },
  });
  return (
    <>
      <AskFirst title={`Delete ${name}?`} verb="Delete" loading={remove.isPending} onSure={() => remove.mutate()}>
        Its versions and aliases go with it. Until garbage is collected its name brings it back from the list of models.
      </AskFirst>
      {remove.error === null ? null : <ErrorNotice error={remove.error} />}
    </>
  );
}

const NoPackage = () => (
  <Empty title="Another tool trained this version, or its package is not here">
    So there is no report of it. Its run, source, tags, aliases and stage stand under Versions, its data and code under Lineage.
  </Empty>
);

const NotExplained = () => <Empty title="This version has not been explained yet">The pipeline's explain step does that.</Empty>;
