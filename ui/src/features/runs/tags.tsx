import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "../../../../src/client/index.ts";
import type { Run } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Empty } from "../../components/loaded.tsx";
import { NewTag } from "../../components/new-tag.tsx";
import { useClient } from "../../session.tsx";
import { splitTags, type Tag } from "./prepare-run.ts";

/** Tags of a run: people's own can be changed, programs' can be looked at. Somebody who may not is told so once, and offered no more. */
export function Tags({ run }: { run: Run }) {
  const client = useClient();
  const cache = useQueryClient();
  const { own, programs } = splitTags(run.tags);
  const change = useMutation({
    mutationFn: async ({ key, value }: { key: string; value: string | null }) => {
      if (value === null) await client.runs.deleteTag({ id: run.id, key });
      else await client.runs.logBatch({ id: run.id, tags: [{ key, value }] });
    },
    onSuccess: () =>
      Promise.all([cache.invalidateQueries({ queryKey: ["run", run.id] }), cache.invalidateQueries({ queryKey: ["runs"] })]),
  });
  const denied = change.error instanceof ApiError && change.error.status === 403;
  const editable = run.lifecycle === "active" && !denied;
  return (
    <div className="stack">
      {own.length === 0 ? (
        <Empty title="No tags" />
      ) : (
        <table className="plain">
          <tbody>
            {own.map((tag) => (
              <TagRow key={tag.key} tag={tag} editable={editable} onChange={(value) => change.mutate({ key: tag.key, value })} />
            ))}
          </tbody>
        </table>
      )}
      {editable ? <NewTag onAdd={(key, value) => change.mutate({ key, value })} /> : null}
      {change.error === null ? null : <ErrorNotice error={change.error} />}
      {programs.length === 0 ? null : (
        <details>
          <summary className="muted small">Written by programs: {programs.length}</summary>
          <dl className="facts">
            {programs.map(({ key, value }) => (
              <div key={key} style={{ display: "contents" }}>
                <dt>{key}</dt>
                <dd className="mono">{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}

interface TagRowProps {
  tag: Tag;
  editable: boolean;
  /** null takes the tag away. */
  onChange: (value: string | null) => void;
}

function TagRow({ tag: { key, value }, editable, onChange }: TagRowProps) {
  const [text, setText] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text !== null && text !== value) onChange(text);
    setText(null);
  };
  return (
    <tr>
      <th scope="row">{key}</th>
      <td>
        {text === null ? (
          <span className="mono" style={{ overflowWrap: "anywhere" }}>
            {value}
          </span>
        ) : (
          <form onSubmit={submit} className="row">
            <TextInput
              size="xs"
              aria-label={`Value of ${key}`}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              data-autofocus
              autoFocus
            />
            <Button size="compact-xs" type="submit">
              Save
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => setText(null)}>
              Cancel
            </Button>
          </form>
        )}
      </td>
      <td className="num">
        {editable && text === null ? (
          <>
            <Button size="compact-xs" variant="subtle" aria-label={`Change ${key}`} onClick={() => setText(value)}>
              Change
            </Button>
            <Button size="compact-xs" variant="subtle" aria-label={`Remove ${key}`} onClick={() => onChange(null)}>
              Remove
            </Button>
          </>
        ) : null}
      </td>
    </tr>
  );
}
