import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "../../../../src/client/index.ts";
import type { ModelVersion } from "../../../../src/contract/index.ts";
import { AskFirst } from "../../components/ask-first.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { NewTag } from "../../components/new-tag.tsx";
import { Panel } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { AskReason, refreshModel } from "./ask-reason.tsx";
import { STAGES } from "./prepare.ts";

type Change = (client: ReturnType<typeof useClient>) => Promise<unknown>;

/** What is known of a version, and what people can say about it. Somebody who may not is told so once, and offered no more. */
export function VersionAbout({ version }: { version: ModelVersion }) {
  const client = useClient();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (what: Change) => what(client),
    onSuccess: () => refreshModel(cache, version.model),
  });
  const editable = !(change.error instanceof ApiError && change.error.status === 403);
  const at = { name: version.model, version: version.version };
  return (
    <Panel title={`Version ${version.version}`}>
      <div className="stack">
        <dl className="facts">
          <dt>Lies at</dt>
          <dd className="mono" style={{ overflowWrap: "anywhere", margin: 0 }}>
            {version.source}
          </dd>
          <dt>Package</dt>
          <dd style={{ margin: 0 }}>
            {version.artifact === null ? (
              "none here: another tool trained it, so there is no report, explanation or card of it"
            ) : (
              <code style={{ overflowWrap: "anywhere" }}>{version.artifact}</code>
            )}
          </dd>
          <dt>Stage</dt>
          <dd style={{ margin: 0 }}>
            {editable ? (
              <Select
                size="xs"
                w={150}
                aria-label="Stage"
                allowDeselect={false}
                data={STAGES}
                value={version.stage}
                onChange={(next) => {
                  const stage = STAGES.find((each) => each === next);
                  if (stage !== undefined) change.mutate((api) => api.models.setStage({ ...at, stage }));
                }}
              />
            ) : (
              version.stage
            )}
          </dd>
          <dt>Description</dt>
          <dd style={{ margin: 0 }}>
            {editable ? (
              <Description
                key={version.description}
                text={version.description}
                onSave={(description) => change.mutate((api) => api.models.updateVersion({ ...at, description }))}
              />
            ) : (
              version.description
            )}
          </dd>
          <dt>Aliases</dt>
          <dd style={{ margin: 0 }} className="row">
            {version.aliases.map((alias) => (
              <span key={alias} className="row">
                <span className="chip brass">{alias}</span>
                {editable ? (
                  <AskFirst
                    title={`Take the alias ${alias} away?`}
                    verb="Remove"
                    label={`Remove the alias ${alias}`}
                    onSure={() => change.mutate((api) => api.models.deleteAlias({ name: version.model, alias }))}
                  >
                    Whoever asks for {version.model}@{alias} finds nothing then.
                  </AskFirst>
                ) : null}
              </span>
            ))}
            {editable ? <AliasForm version={version} /> : null}
          </dd>
          <dt>Tags</dt>
          <dd style={{ margin: 0 }} className="stack">
            {Object.entries(version.tags).map(([key, value]) => (
              <span key={key} className="row">
                <code style={{ overflowWrap: "anywhere" }}>
                  {key} = {value}
                </code>
                {editable ? (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    aria-label={`Remove the tag ${key}`}
                    onClick={() => change.mutate((api) => api.models.deleteVersionTag({ ...at, key }))}
                  >
                    Remove
                  </Button>
                ) : null}
              </span>
            ))}
            {editable ? (
              <NewTag onAdd={(key, value) => change.mutate((api) => api.models.setVersionTag({ ...at, key, value }))} />
            ) : null}
          </dd>
        </dl>
        {change.error === null ? null : <ErrorNotice error={change.error} />}
      </div>
    </Panel>
  );
}

function Description({ text, onSave }: { text: string; onSave: (text: string) => void }) {
  const [next, setNext] = useState(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (next !== text) onSave(next);
  };
  return (
    <form onSubmit={submit} className="row">
      <TextInput
        size="xs"
        aria-label="Description"
        value={next}
        onChange={(event) => setNext(event.currentTarget.value)}
        style={{ flex: 1, maxWidth: 640 }}
      />
      <Button size="compact-sm" type="submit" variant="default" disabled={next === text}>
        Save
      </Button>
    </form>
  );
}

function AliasForm({ version: { model, version } }: { version: ModelVersion }) {
  const client = useClient();
  const [alias, setAlias] = useState("");
  const name = alias.trim();
  return (
    <>
      <TextInput
        size="xs"
        aria-label="New alias"
        placeholder="alias"
        value={alias}
        onChange={(event) => setAlias(event.currentTarget.value)}
      />
      {name === "" ? null : (
        <AskReason
          model={model}
          verb="Set"
          title={`Point ${name} at version ${version}`}
          onReason={(reason) => client.models.setAlias({ name: model, alias: name, version, reason })}
        />
      )}
    </>
  );
}
