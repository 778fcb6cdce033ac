import { Button, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useAddressPages } from "../../components/address-pages.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { Pager } from "../../components/pager.tsx";
import { useClient } from "../../session.tsx";
import { AUDIT_PAGE, type AuditEntry, auditQuery, detailsLine, projectLabel } from "./prepare.ts";

/** Who changed what. */
export function Trail() {
  const client = useClient();
  const search = useSearch({ from: "/settings" });
  const pages = useAddressPages(search);
  const query = auditQuery(search);
  const trail = useQuery({
    queryKey: ["audit", query],
    queryFn: () => client.audit.list(query),
    placeholderData: keepPreviousData,
  });
  return (
    <Panel title="Audit trail" about="Who changed what, newest first.">
      <div className="stack">
        <TrailFilter key={JSON.stringify([search.actor, search.action])} />
        <Loaded query={trail} isEmpty={({ items }) => items.length === 0} empty={<Empty title="No such change" />}>
          {({ items, nextCursor }) => (
            <>
              <TrailTable entries={items} />
              <Pager pages={pages} next={nextCursor} count={items.length} size={AUDIT_PAGE} />
            </>
          )}
        </Loaded>
      </div>
    </Panel>
  );
}

function TrailFilter() {
  const search = useSearch({ from: "/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const [actor, setActor] = useState(search.actor ?? "");
  const [action, setAction] = useState(search.action ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [who, what] = [actor.trim(), action.trim()];
    void navigate({ search: { ...(who !== "" && { actor: who }), ...(what !== "" && { action: what }) }, resetScroll: false });
  };
  return (
    <form onSubmit={submit} className="row" style={{ alignItems: "end" }}>
      <TextInput
        size="xs"
        label="By"
        placeholder="anna"
        value={actor}
        onChange={(event) => setActor(event.currentTarget.value)}
      />
      <TextInput
        size="xs"
        label="Change"
        placeholder="tokens.create"
        value={action}
        onChange={(event) => setAction(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" variant="default">
        Filter
      </Button>
    </form>
  );
}

function TrailTable({ entries }: { entries: readonly AuditEntry[] }) {
  return (
    <ScrollX label="Audit trail">
      <table className="plain">
        <thead>
          <tr>
            <th>When</th>
            <th>By</th>
            <th>Change</th>
            <th>Of</th>
            <th>Project</th>
            <th>Details</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td className="when">{formatInstant(entry.at)}</td>
              <td>{entry.actor}</td>
              <td className="mono">{entry.action}</td>
              <td style={{ overflowWrap: "anywhere" }}>{entry.target}</td>
              <td>{projectLabel(entry.project)}</td>
              <td className="small mono" style={{ overflowWrap: "anywhere" }}>
                {detailsLine(entry)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
