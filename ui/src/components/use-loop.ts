import { useQuery } from "@tanstack/react-query";
import { ApiError } from "../../../src/client/index.ts";
import { useClient } from "../session.tsx";

export const POLL_MS = 5_000;

/** The state of the whole loop, asked every five seconds: the strip at the top of every page lives on it. */
export function useLoop() {
  const client = useClient();
  return useQuery({
    queryKey: ["loop"],
    queryFn: () => client.loop.get(),
    refetchInterval: ({ state }) => (isProjectMissing(state.error) ? false : POLL_MS),
    staleTime: ({ state }) => (isProjectMissing(state.error) ? Number.POSITIVE_INFINITY : 2_000),
    refetchOnMount: ({ state }) => !isProjectMissing(state.error),
    retryOnMount: false,
  });
}

/** Whether the server keeps track alone, without a project file: then it has no loop to tell of. */
const isProjectMissing = (error: unknown): boolean => error instanceof ApiError && error.body.code === "SERVER_PROJECT_MISSING";

/** Whether the server has a project file; undefined until it has said so. */
export function useHasProject(): boolean | undefined {
  const loop = useLoop();
  if (isProjectMissing(loop.error)) return false;
  return loop.isPending ? undefined : true;
}
