import { Button, TextInput } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { RegisteredModel } from "../../../../src/contract/index.ts";
import { useAddressPages } from "../../components/address-pages.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { FilterBox } from "../../components/filter-box.tsx";
import { filterFault } from "../../components/filter-fault.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { Pager } from "../../components/pager.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { lastDecision } from "./prepare.ts";

const PAGE_SIZE = 50;

export function ModelsPage() {
  const client = useClient();
  const search = useSearch({ from: "/models" });
  const navigate = useNavigate({ from: "/models" });
  const pages = useAddressPages(search);
  const { filter = "" } = search;
  const query = {
    limit: PAGE_SIZE,
    ...(filter !== "" && { filter }),
    ...(search.cursor !== undefined && { cursor: search.cursor }),
  };
  const models = useQuery({
    queryKey: ["models", query],
    queryFn: () => client.models.list(query),
    placeholderData: keepPreviousData,
  });
  const fault = filterFault(models.error, filter);
  return (
    <>
      <PageHead title="Models" about="Registered models, the versions behind their aliases, and how those got there." />
      <Panel title="Registered models" actions={<RestoreForm />}>
        <div className="stack">
          <FilterBox
            filter={filter}
            fault={fault}
            placeholder="name ILIKE '%churn%' AND tags.team = 'core'"
            onSearch={(next) => void navigate({ search: next === "" ? {} : { filter: next } })}
          />
          {fault === null ? (
            <Loaded
              query={models}
              isEmpty={({ items }) => items.length === 0}
              empty={
                filter === "" ? (
                  <Empty title="No registered models">Train one with `orrery train`, or register one from MLflow's client.</Empty>
                ) : (
                  <Empty title="No model fits the filter" />
                )
              }
            >
              {({ items, nextCursor }) => (
                <>
                  <ModelsTable models={items} />
                  <Pager pages={pages} next={nextCursor} count={items.length} size={PAGE_SIZE} words={["Previous", "Next"]} />
                </>
              )}
            </Loaded>
          ) : null}
        </div>
      </Panel>
    </>
  );
}

function ModelsTable({ models }: { models: readonly RegisteredModel[] }) {
  return (
    <ScrollX label="Registered models">
      <table className="plain">
        <thead>
          <tr>
            <th>Model</th>
            <th className="num">Versions</th>
            <th>Aliases</th>
            <th>Last decision</th>
            <th>Registered</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => {
            const last = lastDecision(model);
            return (
              <tr key={model.name}>
                <th scope="row">
                  <Link to="/models/$name" params={{ name: model.name }}>
                    {model.name}
                  </Link>
                </th>
                <td className="num">{model.versions.length}</td>
                <td>
                  <span className="row">
                    {Object.entries(model.aliases).map(([alias, version]) => (
                      <span key={alias} className="chip brass">
                        {alias} → {version}
                      </span>
                    ))}
                  </span>
                </td>
                <td>
                  {last === null ? (
                    <span className="muted">none yet</span>
                  ) : (
                    <>
                      <State status={last.decision} /> version {last.toVersion}{" "}
                      <span className="muted small">{formatInstant(last.at)}</span>
                    </>
                  )}
                </td>
                <td className="when">{formatInstant(model.createdAt)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollX>
  );
}

/** Deleted models are not listed: their name brings them back. */
function RestoreForm() {
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState<string | null>(null);
  const restore = useMutation({
    mutationFn: (deleted: string) => client.models.restore({ name: deleted }),
    onSuccess: async (model) => {
      await cache.invalidateQueries({ queryKey: ["models"] });
      await navigate({ to: "/models/$name", params: { name: model.name } });
    },
  });
  if (name === null)
    return (
      <Button size="compact-sm" variant="default" onClick={() => setName("")}>
        Restore a deleted model
      </Button>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") restore.mutate(name.trim());
  };
  return (
    <form onSubmit={submit} className="stack">
      <div className="row">
        <TextInput
          size="xs"
          aria-label="Name of the deleted model"
          placeholder="its name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoFocus
        />
        <Button size="compact-sm" type="submit" loading={restore.isPending} disabled={name.trim() === ""}>
          Restore
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => setName(null)}>
          Cancel
        </Button>
      </div>
      {restore.error === null ? null : <ErrorNotice error={restore.error} />}
    </form>
  );
}
