import "./alerts.css";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Alert } from "../../../src/contract/index.ts";
import { useClient } from "../session.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { formatInstant, formatNumber } from "./format.ts";
import { State } from "./state.tsx";

export function Alerts({ alerts }: { alerts: readonly Alert[] }) {
  return alerts.map((alert) => <AlertCard key={alert.id} alert={alert} />);
}

function AlertCard({ alert }: { alert: Alert }) {
  return (
    <article className="alert">
      <div className="row" style={{ justifyContent: "space-between" }}>
        <div>
          <h3>{alert.title}</h3>
          <span className="small muted">
            {alert.endpoint}, since {formatInstant(alert.since)}, raised {formatInstant(alert.openedAt)}
            {alert.resolvedAt === null ? "" : `, resolved ${formatInstant(alert.resolvedAt)}`}
          </span>
        </div>
        <div className="row">
          <State status={alert.severity} />
          {/* An acknowledged or resolved alert says so in words; an open one can be taken. */}
          {alert.status === "open" ? <Acknowledge id={alert.id} title={alert.title} /> : <State status={alert.status} />}
        </div>
      </div>
      {alert.causes.length === 0 ? null : (
        <ol className="causes" aria-label="Causes, likeliest first">
          {alert.causes.map((cause) => (
            <li key={`${cause.subject} ${cause.kind}`}>
              <strong>{cause.subject}</strong> <span className="chip">{cause.kind}</span> {cause.evidence}
              <br />
              <span className="small muted">
                score {formatNumber(cause.score)}
                {cause.cost === null ? "" : `, cost ${formatNumber(cause.cost)}`}, since {formatInstant(cause.since)}
                {cause.features.length === 0 ? "" : `; ${cause.features.join(", ")}`}
              </span>
            </li>
          ))}
        </ol>
      )}
      {alert.triggeredRun === null ? null : (
        <span className="small">
          It started{" "}
          <Link to="/pipelines/runs/$id" params={{ id: alert.triggeredRun }}>
            a pipeline run
          </Link>
          .
        </span>
      )}
    </article>
  );
}

function Acknowledge({ id, title }: { id: string; title: string }) {
  const client = useClient();
  const cache = useQueryClient();
  const acknowledge = useMutation({
    mutationFn: () => client.monitoring.acknowledge({ id }),
    onSuccess: () =>
      Promise.all([cache.invalidateQueries({ queryKey: ["loop"] }), cache.invalidateQueries({ queryKey: ["monitoring"] })]),
  });
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        loading={acknowledge.isPending}
        onClick={() => acknowledge.mutate()}
        aria-label={`Acknowledge: ${title}`}
      >
        Acknowledge
      </Button>
      {acknowledge.error === null ? null : <ErrorNotice error={acknowledge.error} />}
    </>
  );
}
