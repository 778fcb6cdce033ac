import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useClient } from "../../session.tsx";
import { experimentChoices, nameFilter } from "./prepare.ts";

const OFFERED = 20;

interface ExperimentSelectProps {
  /** The id; undefined: all of them. */
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}

/** Finds an experiment by a part of its name, however many there are: the server searches. */
export function ExperimentSelect({ value, onChange }: ExperimentSelectProps) {
  const client = useClient();
  const [text, setText] = useState("");
  const chosen = useQuery({
    queryKey: ["experiment", value],
    queryFn: () => client.experiments.get({ id: value ?? "" }),
    enabled: value !== undefined,
  });
  // The chosen one's name stands in the field: that is no search for it.
  const [asked] = useDebouncedValue(text === chosen.data?.name ? "" : text, 250);
  const filter = nameFilter(asked);
  const query = { limit: OFFERED, orderBy: "last_update_time DESC", ...(filter !== undefined && { filter }) };
  const found = useQuery({
    queryKey: ["experiments", query],
    queryFn: () => client.experiments.list(query),
    placeholderData: keepPreviousData,
  });
  return (
    <Select
      label="Experiment"
      placeholder="all; type a part of its name"
      searchable
      clearable
      data={experimentChoices(found.data?.items ?? [], chosen.data)}
      // What the server found is what is offered.
      filter={({ options }) => options}
      nothingFoundMessage={found.isFetching ? "Searching…" : "No experiment has this in its name"}
      value={value ?? null}
      onChange={(id) => onChange(id ?? undefined)}
      onSearchChange={setText}
      error={chosen.error === null ? null : chosen.error.message}
      maxDropdownHeight={320}
      style={{ flex: "1 1 16rem", maxWidth: 360 }}
    />
  );
}
