import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorNotice } from "./error-notice.tsx";

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  /** Whether there is anything to draw; with `empty`, what to say when there is not. */
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The four states of anything asked of the server: loading, failed, empty, there. A failed refresh keeps what was there. */
export function Loaded<T>({ query, isEmpty, empty, children }: LoadedProps<T>) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    return query.error === null ? <Skeleton /> : <ErrorNotice error={query.error} onRetry={retry} />;
  }
  return (
    <>
      {query.error === null ? null : <ErrorNotice error={query.error} onRetry={retry} />}
      {isEmpty?.(query.data) ? empty : children(query.data)}
    </>
  );
}

function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {[60, 92, 84, 71].map((width) => (
        <span key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}
