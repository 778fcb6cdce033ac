import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useClient } from "../session.tsx";

/** The endpoint that a page is about: the one its address names, else the first. */
export function useEndpoint(asked: string | undefined) {
  const client = useClient();
  const endpoints = useQuery({ queryKey: ["endpoints"], queryFn: () => client.endpoints.list() });
  return { endpoints, endpoint: asked ?? endpoints.data?.items[0]?.name };
}

interface EndpointSelectProps {
  names: readonly string[];
  value: string | undefined;
  onChange: (name: string) => void;
}

/** Draws nothing while there is no choice. */
export function EndpointSelect({ names, value, onChange }: EndpointSelectProps) {
  if (names.length < 2) return null;
  return (
    <Select
      aria-label="Endpoint"
      allowDeselect={false}
      data={[...names]}
      value={value ?? null}
      onChange={(next) => {
        if (next !== null) onChange(next);
      }}
    />
  );
}
