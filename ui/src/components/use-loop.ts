import { useQuery } from "@tanstack/react-query";
import { useSession } from "../session.tsx";

export const POLL_MS = 5_000;

/** The state of the whole loop, asked every five seconds: the strip at the top of every page lives on it. Without a project file there is none. */
export function useLoop() {
  const { client, context } = useSession();
  return useQuery({
    queryKey: ["loop"],
    queryFn: () => client.loop.get(),
    refetchInterval: POLL_MS,
    enabled: context.projectFile,
  });
}
