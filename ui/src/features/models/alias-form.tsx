import { Button, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { useClient } from "../../session.tsx";

interface AliasFormProps {
  model: string;
  /** The version to promote to champion; null takes the alias back to the version before. */
  version: number | null;
}

/** Moves the champion alias, with a reason for the history. One opening of the form is one key, so that a second press does nothing twice. */
export function AliasForm({ model, version }: AliasFormProps) {
  const client = useClient();
  const cache = useQueryClient();
  const [key, setKey] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const close = () => setKey(null);
  const move = useMutation({
    mutationFn: (idempotencyKey: string) =>
      version === null
        ? client.models.rollback({ name: model, reason, idempotencyKey })
        : client.models.promote({ name: model, version, reason, idempotencyKey }),
    onSuccess: async () => {
      close();
      setReason("");
      await Promise.all([
        cache.invalidateQueries({ queryKey: ["models"] }),
        cache.invalidateQueries({ queryKey: ["model", model] }),
      ]);
    },
  });
  const title = version === null ? "Roll the champion back" : `Promote version ${version} to champion`;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key !== null && reason.trim() !== "") move.mutate(key);
  };
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setKey(crypto.randomUUID())}>
        {version === null ? "Roll back" : "Promote"}
      </Button>
      <Modal opened={key !== null} onClose={close} title={title} centered>
        <form onSubmit={submit} className="stack">
          <Textarea
            label="Reason"
            description="It stands in the promotion history."
            required
            maxLength={2_000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
          {move.error === null ? null : <ErrorNotice error={move.error} />}
          <Button type="submit" loading={move.isPending} disabled={reason.trim() === ""}>
            {title}
          </Button>
        </form>
      </Modal>
    </>
  );
}
