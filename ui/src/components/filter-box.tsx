import "./filter-box.css";
import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useId, useState } from "react";
import type { FilterFault } from "./filter-fault.ts";

interface FilterBoxProps {
  /** What is searched for now. */
  filter: string;
  fault: FilterFault | null;
  placeholder: string;
  onSearch: (filter: string) => void;
}

/** A filter in the search language; where the server refuses it, the place is shown under it. */
export function FilterBox({ filter, fault, placeholder, onSearch }: FilterBoxProps) {
  const [text, setText] = useState(filter);
  const faultId = useId();
  // The address may change without a key being pressed here: a link, or the browser's way back.
  useEffect(() => setText(filter), [filter]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <search className="filter-box">
      <form onSubmit={submit} className="row">
        <TextInput
          className="filter-text"
          label="Filter"
          placeholder={placeholder}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={fault !== null}
          aria-describedby={fault === null ? undefined : faultId}
          spellCheck={false}
          autoComplete="off"
          maxLength={8_000}
        />
        <Button type="submit" variant="default">
          Search
        </Button>
        {filter === "" ? null : (
          <Button variant="subtle" onClick={() => onSearch("")}>
            Clear
          </Button>
        )}
      </form>
      {fault === null ? null : (
        <div className="notice bad" role="alert" id={faultId}>
          <p>
            <strong>{fault.message}</strong>
          </p>
          <pre className="filter-fault" aria-hidden="true">
            {fault.before}
            <mark>{fault.at}</mark>
            {fault.after}
            {"\n"}
            {fault.before.replaceAll(/./gu, " ")}
            <b>{fault.carets}</b>
          </pre>
          <p className="muted">{fault.hint}</p>
        </div>
      )}
    </search>
  );
}
