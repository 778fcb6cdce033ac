import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { expiryOf, LIFETIMES, type Token, type TokenState, tokenState, type User } from "./prepare.ts";

const LOOK: Record<TokenState, string> = { valid: "passed", expired: "warning", revoked: "cancelled" };

/** One's own tokens, or those of everybody for an administrator, who is given the users. */
export function Tokens({ users }: { users: readonly User[] | null }) {
  const client = useClient();
  const cache = useQueryClient();
  const tokens = useQuery({ queryKey: ["tokens"], queryFn: () => client.tokens.list({}) });
  const refresh = () =>
    Promise.all([cache.invalidateQueries({ queryKey: ["tokens"] }), cache.invalidateQueries({ queryKey: ["audit"] })]);
  const revoke = useMutation({ mutationFn: (id: string) => client.tokens.revoke({ id }), onSuccess: refresh });
  return (
    <Panel title="Tokens" about={users === null ? "Your own." : "Everybody's."}>
      <div className="stack">
        <Loaded query={tokens} isEmpty={({ items }) => items.length === 0} empty={<Empty title="No tokens" />}>
          {({ items }) => <TokensTable tokens={items} onRevoke={(id) => revoke.mutate(id)} />}
        </Loaded>
        {revoke.error === null ? null : <ErrorNotice error={revoke.error} />}
        {users?.length === 0 ? null : <NewToken users={users} onMade={refresh} />}
      </div>
    </Panel>
  );
}

function TokensTable({ tokens, onRevoke }: { tokens: readonly Token[]; onRevoke: (id: string) => void }) {
  return (
    <ScrollX label="Tokens">
      <table className="plain">
        <thead>
          <tr>
            <th>Token</th>
            <th>User</th>
            <th>State</th>
            <th>Made</th>
            <th>Ends</th>
            <th>Last used</th>
            <th>
              <span className="visually-hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => {
            const state = tokenState(token, Date.now());
            const called = token.label === "" ? token.id : token.label;
            return (
              <tr key={token.id}>
                <th scope="row">
                  {token.label === "" ? null : (
                    <>
                      {token.label}
                      <br />
                    </>
                  )}
                  <code className="small muted">{token.id}</code>
                </th>
                <td>{token.user}</td>
                <td>
                  <State status={LOOK[state]} label={state} />
                </td>
                <td className="when">{formatInstant(token.createdAt)}</td>
                <td className="when">{token.expiresAt === null ? "" : formatInstant(token.expiresAt)}</td>
                <td className="when">{token.lastUsedAt === null ? "" : formatInstant(token.lastUsedAt)}</td>
                <td className="num">
                  {state === "valid" ? (
                    <AskFirst
                      title={`Revoke ${called}?`}
                      verb="Revoke"
                      label={`Revoke ${called}`}
                      onSure={() => onRevoke(token.id)}
                    >
                      Whoever uses it is let in no more. That cannot be taken back.
                    </AskFirst>
                  ) : null}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollX>
  );
}

function NewToken({ users, onMade }: { users: readonly User[] | null; onMade: () => Promise<unknown> }) {
  const client = useClient();
  const [user, setUser] = useState<string | null>(null);
  const [label, setLabel] = useState("");
  const [lifetime, setLifetime] = useState<string>("90");
  const make = useMutation({
    // The secret is kept by this form alone, and gone with it.
    gcTime: 0,
    mutationFn: () =>
      client.tokens.create({ ...(user !== null && { user }), label: label.trim(), expiresAt: expiryOf(lifetime, Date.now()) }),
    onSuccess: async () => {
      setLabel("");
      await onMade();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <>
      <form onSubmit={submit} className="row" style={{ alignItems: "end" }}>
        {users === null ? null : (
          <Select
            size="xs"
            label="For"
            placeholder="yourself"
            clearable
            searchable
            data={users.map(({ name }) => name)}
            value={user}
            onChange={setUser}
          />
        )}
        <TextInput
          size="xs"
          label="Label"
          placeholder="laptop"
          maxLength={300}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Select
          size="xs"
          label="Lives"
          allowDeselect={false}
          data={LIFETIMES.map(({ value, label: text }) => ({ value, label: text }))}
          value={lifetime}
          onChange={(next) => {
            if (next !== null) setLifetime(next);
          }}
        />
        <Button size="xs" type="submit" variant="default" loading={make.isPending}>
          Make a token
        </Button>
      </form>
      {make.error === null ? null : <ErrorNotice error={make.error} />}
      {make.data === undefined ? null : (
        <div className="notice" role="status">
          <p>
            <strong>The secret of {make.data.user}'s new token. It is shown this once and kept nowhere.</strong>
          </p>
          <p className="row">
            <code className="token-secret" style={{ overflowWrap: "anywhere", userSelect: "all" }}>
              {make.data.secret}
            </code>
            <Button size="compact-sm" variant="default" onClick={() => make.reset()}>
              I have it
            </Button>
          </p>
        </div>
      )}
    </>
  );
}
