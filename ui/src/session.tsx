import { Button, PasswordInput } from "@mantine/core";
import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type FormEvent, type ReactNode, use, useMemo, useState } from "react";
import { ApiError, type Client, createClient, fetchContext, fetchRunFile } from "../../src/client/index.ts";
import type { Context } from "../../src/contract/index.ts";
import { ErrorNotice } from "./components/error-notice.tsx";
import { Mark } from "./components/mark.tsx";
import { readProjectAddress } from "./project-address.ts";

export interface Session {
  readonly context: Context;
  readonly client: Client;
  /** A file of a run, or its first bytes; a link could not carry the token. Throws ApiError. */
  readonly readRunFile: (file: { id: string; path: string; most?: number }) => Promise<Response>;
}

const SessionContext = createContext<Session | null>(null);
const TOKEN_KEY = "orrery-token";

export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("useSession outside of SessionGate");
  return session;
}
export const useClient = (): Client => useSession().client;

const isDenied = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server decided will not change by asking again; a server that is away may come back.
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
  },
});

/** Asks the server what it holds before anything else is drawn, and the person for a token where the server wants one. */
export function SessionGate({ children }: { children: ReactNode }) {
  return (
    <QueryClientProvider client={queryClient}>
      <Gate>{children}</Gate>
    </QueryClientProvider>
  );
}

function Gate({ children }: { children: ReactNode }) {
  // The token lives as long as the tab: it never reaches localStorage, a cookie or the address.
  const [token, setToken] = useState(() => sessionStorage.getItem(TOKEN_KEY));
  const [denied, setDenied] = useState(false);
  const cache = useQueryClient();
  const context = useQuery({
    queryKey: ["context", token],
    queryFn: () => fetchContext({ baseUrl: "", ...(token === null ? {} : { token }) }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const session = useMemo<Session | null>(() => {
    if (context.data === undefined) return null;
    const { workspace } = context.data;
    const project = readProjectAddress(location.pathname).project ?? context.data.project;
    const watch = async (url: string, init: RequestInit) => {
      const response = await fetch(url, init);
      if (response.status === 401) setDenied(true);
      return response;
    };
    const options = { baseUrl: "", workspace, project, fetch: watch, ...(token === null ? {} : { token }) };
    return {
      context: { ...context.data, project },
      client: createClient(options),
      readRunFile: (file) => fetchRunFile(options, file),
    };
  }, [context.data, token]);

  if (denied || isDenied(context.error)) {
    const enter = (next: string) => {
      sessionStorage.setItem(TOKEN_KEY, next);
      cache.clear();
      setToken(next);
      setDenied(false);
    };
    return <TokenForm refused={token !== null} onEnter={enter} />;
  }
  if (context.error !== null) {
    return (
      <Alone>
        <ErrorNotice error={context.error} onRetry={() => void context.refetch()} />
      </Alone>
    );
  }
  if (session === null) return <Alone>Reaching the server…</Alone>;
  return <SessionContext value={session}>{children}</SessionContext>;
}

function Alone({ children }: { children: ReactNode }) {
  return (
    <main style={{ maxWidth: 440, margin: "16vh auto 0" }}>
      <h1 className="row">
        <Mark size={30} /> Orrery
      </h1>
      <div aria-live="polite">{children}</div>
    </main>
  );
}

function TokenForm({ refused, onEnter }: { refused: boolean; onEnter: (token: string) => void }) {
  const [value, setValue] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value !== "") onEnter(value);
  };
  return (
    <Alone>
      <form onSubmit={submit} className="stack">
        <PasswordInput
          label="Access token"
          description="This server asks for one. It is kept in this tab only."
          error={refused ? "The server did not accept this token." : null}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
        <Button type="submit">Enter</Button>
      </form>
    </Alone>
  );
}
