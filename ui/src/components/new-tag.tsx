import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

/** Takes a key and a value; an empty key is no tag. */
export function NewTag({ onAdd }: { onAdd: (key: string, value: string) => void }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() === "") return;
    onAdd(key.trim(), value);
    setKey("");
    setValue("");
  };
  return (
    <form onSubmit={submit} className="row" style={{ alignItems: "end" }}>
      <TextInput
        size="xs"
        label="New tag"
        placeholder="key"
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
      />
      <TextInput
        size="xs"
        aria-label="Value of the new tag"
        placeholder="value"
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <Button size="xs" type="submit" variant="default" disabled={key.trim() === ""}>
        Add
      </Button>
    </form>
  );
}
