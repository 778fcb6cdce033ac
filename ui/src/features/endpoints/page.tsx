import "./page.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Endpoint } from "../../../../src/contract/index.ts";
import { formatShare } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { POLL_MS } from "../../components/use-loop.ts";
import { useClient } from "../../session.tsx";
import { TryIt } from "./try-it.tsx";

export function EndpointsPage() {
  const client = useClient();
  const endpoints = useQuery({ queryKey: ["endpoints"], queryFn: () => client.endpoints.list(), refetchInterval: POLL_MS });
  return (
    <>
      <PageHead title="Endpoints" about="What answers, from where, and how traffic is split between versions." />
      <Loaded
        query={endpoints}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="No endpoints">Define one with endpoint() in the project.</Empty>}
      >
        {({ items }) => items.map((endpoint) => <EndpointPanels key={endpoint.name} endpoint={endpoint} />)}
      </Loaded>
    </>
  );
}

function EndpointPanels({ endpoint }: { endpoint: Endpoint }) {
  return (
    <>
      <Panel
        title={endpoint.name}
        actions={<State status={endpoint.ready ? "ready" : "attention"} label={endpoint.ready ? "ready" : "not ready"} />}
      >
        <div className="stack">
          <Traffic routes={endpoint.routes} />
          <dl className="facts">
            <dt>Model</dt>
            <dd>
              <Link to="/models/$name" params={{ name: endpoint.model }}>
                {endpoint.model}
              </Link>
            </dd>
            <dt>Address</dt>
            <dd>
              {endpoint.url === null ? <span className="muted">not started: `orrery serve`</span> : <code>{endpoint.url}</code>}
            </dd>
            <dt>Deployment</dt>
            <dd>{endpoint.revision === null ? "none" : `revision ${endpoint.revision}`}</dd>
            <dt>Look at</dt>
            <dd className="row">
              <Link to="/monitoring" search={{ endpoint: endpoint.name }}>
                its monitoring
              </Link>
              <Link to="/predictions" search={{ endpoint: endpoint.name }}>
                its predictions
              </Link>
            </dd>
          </dl>
        </div>
      </Panel>
      <Panel title={`Try ${endpoint.name}`} about="A real request: it is logged like any other. An empty field is sent as null.">
        <TryIt endpoint={endpoint} />
      </Panel>
    </>
  );
}

function Traffic({ routes }: { routes: Endpoint["routes"] }) {
  if (routes.length === 0) return <Empty title="Nothing is deployed" />;
  return (
    <div
      className="traffic"
      role="img"
      aria-label={`Traffic: ${routes.map((each) => `${each.alias} ${formatShare(each.share)}`).join(", ")}`}
    >
      {routes.map(({ alias, version, share }) => (
        <span key={alias} style={{ flexGrow: share, flexBasis: 0, minWidth: 190 }}>
          {alias}, version {version}: {formatShare(share)}
        </span>
      ))}
    </div>
  );
}
