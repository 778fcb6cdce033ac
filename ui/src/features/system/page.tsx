import { useQuery } from "@tanstack/react-query";
import type { System } from "../../../../src/contract/index.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX, Tile } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { POLL_MS } from "../../components/use-loop.ts";
import { useClient } from "../../session.tsx";
import { gauges } from "./prepare.ts";

export function SystemPage() {
  const client = useClient();
  const system = useQuery({ queryKey: ["system"], queryFn: () => client.system.get(), refetchInterval: POLL_MS });
  return (
    <>
      <PageHead title="System" about="The machine, the processes on it, and the folder that holds all state." />
      <Loaded query={system}>{(data) => <Machine system={data} />}</Loaded>
    </>
  );
}

function Machine({ system }: { system: System }) {
  return (
    <>
      <div className="columns tiles">
        {gauges(system).map(({ label, value, share, note }) => (
          <Tile key={label} label={label} value={value} share={share} note={note} />
        ))}
      </div>
      <Panel title="Processes">
        {system.processes.length === 0 ? (
          <Empty title="No other process has been started" />
        ) : (
          <ScrollX label="Processes">
            <table className="plain">
              <thead>
                <tr>
                  <th>Process</th>
                  <th>State</th>
                  <th className="num">Process id</th>
                  <th>Address</th>
                </tr>
              </thead>
              <tbody>
                {system.processes.map(({ name, pid, alive, url }) => (
                  <tr key={`${name} ${pid}`}>
                    <th scope="row">{name}</th>
                    <td>
                      <State status={alive ? "alive" : "failed"} label={alive ? "alive" : "gone"} />
                    </td>
                    <td className="num">{pid}</td>
                    <td>{url === null ? <span className="muted">none</span> : <code>{url}</code>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Panel>
      <Panel title="This server">
        <dl className="facts">
          <dt>Orrery</dt>
          <dd>{system.version}</dd>
          <dt>Node</dt>
          <dd>{system.nodeVersion}</dd>
          <dt>Since</dt>
          <dd>{formatInstant(system.startedAt)}</dd>
          <dt>State folder</dt>
          <dd>
            <code>{system.stateDirectory}</code>
          </dd>
        </dl>
      </Panel>
    </>
  );
}
