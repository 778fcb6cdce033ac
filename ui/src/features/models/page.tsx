import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";

export function ModelsPage() {
  const client = useClient();
  const models = useQuery({ queryKey: ["models"], queryFn: () => client.models.list() });
  return (
    <>
      <PageHead title="Models" about="Registered models, the versions behind their aliases, and how those got there." />
      <Panel title="Registered models">
        <Loaded
          query={models}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty title="No registered models">Train one with `orrery train`.</Empty>}
        >
          {({ items }) => (
            <ScrollX label="Registered models">
              <table className="plain">
                <thead>
                  <tr>
                    <th>Model</th>
                    <th className="num">Versions</th>
                    <th>Aliases</th>
                    <th>Last decision</th>
                    <th>Registered</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((model) => {
                    const last = [...model.promotions].sort((a, b) => b.at.localeCompare(a.at))[0];
                    return (
                      <tr key={model.name}>
                        <th scope="row">
                          <Link to="/models/$name" params={{ name: model.name }}>
                            {model.name}
                          </Link>
                        </th>
                        <td className="num">{model.versions.length}</td>
                        <td>
                          <span className="row">
                            {Object.entries(model.aliases).map(([alias, version]) => (
                              <span key={alias} className="chip brass">
                                {alias} → {version}
                              </span>
                            ))}
                          </span>
                        </td>
                        <td>
                          {last === undefined ? (
                            <span className="muted">none yet</span>
                          ) : (
                            <>
                              <State status={last.decision} /> version {last.toVersion}{" "}
                              <span className="muted small">{formatInstant(last.at)}</span>
                            </>
                          )}
                        </td>
                        <td className="when">{formatInstant(model.createdAt)}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </ScrollX>
          )}
        </Loaded>
      </Panel>
    </>
  );
}
