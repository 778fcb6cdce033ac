import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Prediction } from "../../../../src/contract/index.ts";
import { EndpointSelect, useEndpoint } from "../../components/endpoint-select.tsx";
import { formatInstant, formatShare, formatValue } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";

export function PredictionsPage() {
  const { endpoint: asked } = useSearch({ from: "/predictions" });
  const navigate = useNavigate();
  const { endpoints, endpoint } = useEndpoint(asked);
  return (
    <>
      <PageHead
        title="Predictions"
        about="Every prediction that was given, with what it was given from."
        actions={
          <EndpointSelect
            names={endpoints.data?.items.map(({ name }) => name) ?? []}
            value={endpoint}
            onChange={(next) => void navigate({ to: "/predictions", search: { endpoint: next } })}
          />
        }
      />
      <OpenById />
      <Loaded
        query={endpoints}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="No endpoints">Without an endpoint nothing is predicted.</Empty>}
      >
        {() => (endpoint === undefined ? null : <Latest endpoint={endpoint} />)}
      </Loaded>
    </>
  );
}

function OpenById() {
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (id.trim() !== "") void navigate({ to: "/predictions/$id", params: { id: id.trim() } });
  };
  return (
    <Panel title="Open one">
      <form onSubmit={submit} className="row" style={{ alignItems: "end" }}>
        <TextInput
          label="Prediction id"
          placeholder="pred-…"
          w={340}
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          Open
        </Button>
      </form>
    </Panel>
  );
}

function Latest({ endpoint }: { endpoint: string }) {
  const client = useClient();
  const predictions = useQuery({
    queryKey: ["predictions", endpoint],
    queryFn: () => client.endpoints.predictions({ name: endpoint, limit: 100 }),
  });
  return (
    <Panel title={`The last of ${endpoint}`} about="At most a hundred">
      <Loaded
        query={predictions}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="Nothing has been asked yet" />}
      >
        {({ items }) => <PredictionsTable predictions={items} />}
      </Loaded>
    </Panel>
  );
}

function PredictionsTable({ predictions }: { predictions: readonly Prediction[] }) {
  return (
    <ScrollX label="Predictions">
      <table className="plain">
        <thead>
          <tr>
            <th>Prediction</th>
            <th>At</th>
            <th>Keys</th>
            <th className="num">Probability</th>
            <th>Decision</th>
            <th>Version</th>
            <th>Missing</th>
            <th className="num">Latency</th>
          </tr>
        </thead>
        <tbody>
          {predictions.map((each) => (
            <tr key={each.id}>
              <th scope="row" className="nowrap">
                <Link to="/predictions/$id" params={{ id: each.id }}>
                  <code>{each.id}</code>
                </Link>
              </th>
              <td className="when">{formatInstant(each.at)}</td>
              <td className="small">
                {Object.entries(each.keys)
                  .map(([name, value]) => `${name} ${formatValue(value)}`)
                  .join(", ")}
              </td>
              <td className="num">{formatShare(each.probability)}</td>
              <td className="nowrap">{each.decision ? "act" : "do not act"}</td>
              <td className="nowrap">
                {each.version} <span className="muted small">{each.alias}</span>
              </td>
              <td className="small">{each.missing.join(", ")}</td>
              <td className="num">{each.latencyMs.toFixed(2)} ms</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
