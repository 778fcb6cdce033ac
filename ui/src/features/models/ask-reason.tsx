import { Button, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ErrorNotice } from "../../components/error-notice.tsx";

interface AskReasonProps {
  model: string;
  /** What the button says. */
  verb: string;
  /** What will happen: the form's title and its button. */
  title: string;
  /** The key is the opening's: a second press of its button does nothing twice. */
  onReason: (reason: string, idempotencyKey: string) => Promise<unknown>;
}

/** A decision about a model, with a reason for its history. */
export function AskReason({ model, verb, title, onReason }: AskReasonProps) {
  const cache = useQueryClient();
  const [key, setKey] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const decide = useMutation({
    mutationFn: (idempotencyKey: string) => onReason(reason, idempotencyKey),
    onSuccess: async () => {
      setKey(null);
      setReason("");
      await refreshModel(cache, model);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key !== null && reason.trim() !== "") decide.mutate(key);
  };
  const open = () => {
    decide.reset();
    setKey(crypto.randomUUID());
  };
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={open}>
        {verb}
      </Button>
      <Modal opened={key !== null} onClose={() => setKey(null)} title={title} centered>
        <form onSubmit={submit} className="stack">
          <Textarea
            label="Reason"
            description="It stands in the model's history."
            required
            maxLength={2_000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
          {decide.error === null ? null : <ErrorNotice error={decide.error} />}
          <Button type="submit" loading={decide.isPending} disabled={reason.trim() === ""}>
            {title}
          </Button>
        </form>
      </Modal>
    </>
  );
}

/** Whatever is shown of a model, or of all of them, is asked for again. */
export const refreshModel = (cache: ReturnType<typeof useQueryClient>, model: string) =>
  Promise.all([
    cache.invalidateQueries({ queryKey: ["models"] }),
    cache.invalidateQueries({ queryKey: ["model", model] }),
    cache.invalidateQueries({ queryKey: ["model-history", model] }),
  ]);
