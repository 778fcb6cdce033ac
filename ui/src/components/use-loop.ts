import { useQuery } from "@tanstack/react-query";
import { useClient } from "../session.tsx";

export const POLL_MS = 5_000;

/** The state of the whole loop, asked every five seconds: the strip at the top of every page lives on it. */
export function useLoop() {
  const client = useClient();
  return useQuery({ queryKey: ["loop"], queryFn: () => client.loop.get(), refetchInterval: POLL_MS });
}
