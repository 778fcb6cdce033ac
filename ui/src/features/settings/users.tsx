import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Client } from "../../../../src/client/index.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatInstant } from "../../components/format.ts";
import { Empty } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient, useSession } from "../../session.tsx";
import { ALL_PROJECTS, projectLabel, ROLES, type User } from "./prepare.ts";

type Change = (client: Client) => Promise<unknown>;

function useChange() {
  const client = useClient();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (what: Change) => what(client),
    onSuccess: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: ["users"] }),
        cache.invalidateQueries({ queryKey: ["audit"] }),
        cache.invalidateQueries({ queryKey: ["context"] }),
      ]),
  });
}

export function Users({ users }: { users: readonly User[] }) {
  const change = useChange();
  return (
    <Panel title="Users" about="A role in one project or in all of them.">
      <div className="stack">
        {users.length === 0 ? (
          <Empty title="No users yet">Once there is one, this server lets nobody in without a token.</Empty>
        ) : (
          <ScrollX label="Users">
            <table className="plain">
              <thead>
                <tr>
                  <th>User</th>
                  <th>Roles</th>
                  <th>State</th>
                  <th>Added</th>
                  <th>
                    <span className="visually-hidden">What can be done</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {users.map((user) => (
                  <UserRow key={user.name} user={user} onChange={change.mutate} />
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
        {change.error === null ? null : <ErrorNotice error={change.error} />}
        <RoleForm users={users} onChange={change.mutate} />
      </div>
    </Panel>
  );
}

function UserRow({ user: { name, roles, disabledAt, createdAt }, onChange }: { user: User; onChange: (what: Change) => void }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {Object.entries(roles).map(([project, role]) => (
          <span key={project} className="row">
            {role} in {projectLabel(project)}
            <AskFirst
              title={`Take ${name}'s role in ${projectLabel(project)}?`}
              verb="Take away"
              label={`Take away ${name}'s role in ${projectLabel(project)}`}
              onSure={() => onChange((client) => client.users.revoke({ name, project }))}
            >
              {name} is no longer {role} there.
            </AskFirst>
          </span>
        ))}
      </td>
      <td>{disabledAt === null ? <State status="passed" label="active" /> : <State status="cancelled" label="disabled" />}</td>
      <td className="when">{formatInstant(createdAt)}</td>
      <td className="num">
        {disabledAt === null ? (
          <AskFirst
            title={`Disable ${name}?`}
            verb="Disable"
            label={`Disable ${name}`}
            onSure={() => onChange((client) => client.users.disable({ name }))}
          >
            None of {name}'s tokens is accepted any more, until {name} is enabled again.
          </AskFirst>
        ) : (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`Enable ${name}`}
            onClick={() => onChange((client) => client.users.enable({ name }))}
          >
            Enable
          </Button>
        )}
      </td>
    </tr>
  );
}

/** Adds a user, or gives one that is there another role. */
function RoleForm({ users, onChange }: { users: readonly User[]; onChange: (what: Change) => void }) {
  const { context } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("viewer");
  const [project, setProject] = useState(ALL_PROJECTS);
  const known = users.some((user) => user.name === name.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = { name: name.trim(), role, project: project.trim() };
    if (given.name === "" || given.project === "") return;
    onChange((client) => (known ? client.users.grant(given) : client.users.add(given)));
    setName("");
  };
  return (
    <form onSubmit={submit} className="row" style={{ alignItems: "end" }}>
      <TextInput size="xs" label="User" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Select
        size="xs"
        label="Role"
        allowDeselect={false}
        data={ROLES}
        value={role}
        onChange={(next) => {
          if (next !== null) setRole(next);
        }}
      />
      <TextInput
        size="xs"
        label={`Project ("*": all; this one: ${context.project})`}
        value={project}
        onChange={(event) => setProject(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" variant="default" disabled={name.trim() === ""}>
        {known ? "Give the role" : "Add the user"}
      </Button>
    </form>
  );
}
