import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import type { Experiment } from "../../../../src/contract/index.ts";
import { useAddressPages } from "../../components/address-pages.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { Pager } from "../../components/pager.tsx";
import { useClient } from "../../session.tsx";
import { type ExperimentsSearch, nameFilter, noteOf } from "./prepare.ts";

const PAGE_SIZE = 50;

export function ExperimentsPage() {
  const client = useClient();
  const search = useSearch({ from: "/experiments" });
  const navigate = useNavigate({ from: "/experiments" });
  const pages = useAddressPages(search);
  const filter = nameFilter(search.name ?? "");
  const query = {
    limit: PAGE_SIZE,
    view: search.view ?? "active",
    orderBy: "last_update_time DESC",
    ...(filter !== undefined && { filter }),
    ...(search.cursor !== undefined && { cursor: search.cursor }),
  } as const;
  const experiments = useQuery({
    queryKey: ["experiments", query],
    queryFn: () => client.experiments.list(query),
    placeholderData: keepPreviousData,
  });
  const show = (next: ExperimentsSearch) => void navigate({ search: next });
  const named = search.name === undefined ? {} : { name: search.name };
  return (
    <>
      <PageHead
        kicker={<Link to="/runs">Runs</Link>}
        title="Experiments"
        about="What runs are grouped by, the one that changed last first."
      />
      <Panel title="Experiments of this project">
        <div className="stack">
          <div className="row" style={{ alignItems: "end" }}>
            <NameSearch
              name={search.name ?? ""}
              onSearch={(name) => show({ ...(search.view !== undefined && { view: search.view }), ...(name !== "" && { name }) })}
            />
            <SegmentedControl
              aria-label="Which experiments"
              data={[
                { value: "active", label: "Active" },
                { value: "deleted", label: "Deleted" },
              ]}
              value={search.view ?? "active"}
              onChange={(view) => show(view === "deleted" ? { ...named, view } : named)}
            />
          </div>
          <Loaded
            query={experiments}
            isEmpty={({ items }) => items.length === 0}
            empty={<Empty title={search.view === "deleted" ? "No deleted experiments" : "No experiments"} />}
          >
            {({ items, nextCursor }) => (
              <>
                <ExperimentsTable experiments={items} />
                <Pager pages={pages} next={nextCursor} count={items.length} size={PAGE_SIZE} words={["Previous", "Next"]} />
              </>
            )}
          </Loaded>
        </div>
      </Panel>
    </>
  );
}

function NameSearch({ name, onSearch }: { name: string; onSearch: (name: string) => void }) {
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <form onSubmit={submit} className="row" style={{ alignItems: "end", flex: 1 }}>
      <TextInput
        label="Name"
        placeholder="a part of it"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        style={{ flex: "1 1 14rem", maxWidth: 360 }}
      />
      <Button type="submit" variant="default">
        Search
      </Button>
    </form>
  );
}

function ExperimentsTable({ experiments }: { experiments: readonly Experiment[] }) {
  return (
    <ScrollX label="Experiments">
      <table className="plain">
        <thead>
          <tr>
            <th>Experiment</th>
            <th>Id</th>
            <th>About</th>
            <th>Made</th>
            <th>Changed</th>
            <th>
              <span className="visually-hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {experiments.map((experiment) => (
            <tr key={experiment.id}>
              <th scope="row">
                <Link
                  to="/runs"
                  search={{ experiment: experiment.id, ...(experiment.lifecycle === "deleted" && { view: "deleted" as const }) }}
                >
                  {experiment.name}
                </Link>
              </th>
              <td className="mono">{experiment.id}</td>
              <td className="muted">{noteOf(experiment)}</td>
              <td className="when">{formatInstant(experiment.createdAt)}</td>
              <td className="when">{formatInstant(experiment.updatedAt)}</td>
              <td className="num">
                <ExperimentLife experiment={experiment} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function ExperimentLife({ experiment: { id, name, lifecycle } }: { experiment: Experiment }) {
  const client = useClient();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: async () => {
      if (lifecycle === "active") await client.experiments.delete({ id });
      else await client.experiments.restore({ id });
    },
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: ["experiments"] }),
        cache.invalidateQueries({ queryKey: ["experiment", id] }),
        cache.invalidateQueries({ queryKey: ["runs"] }),
      ]),
  });
  return (
    <>
      {lifecycle === "active" ? (
        <AskFirst title={`Delete ${name}?`} verb="Delete" label={`Delete ${name}`} onSure={() => change.mutate()}>
          Its runs and logged models go with it. They can be restored until garbage is collected.
        </AskFirst>
      ) : (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Restore ${name}`}
          loading={change.isPending}
          onClick={() => change.mutate()}
        >
          Restore
        </Button>
      )}
      {change.error === null ? null : <ErrorNotice error={change.error} />}
    </>
  );
}
