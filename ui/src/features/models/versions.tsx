import { Link } from "@tanstack/react-router";
import type { RegisteredModel } from "../../../../src/contract/index.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { Verdicts } from "../../components/verdicts.tsx";
import { gateOf, latestFirst, newestFirst } from "./prepare.ts";

interface VersionsProps {
  model: RegisteredModel;
  shown: number;
  onShow: (version: number) => void;
}

export function Versions({ model, shown, onShow }: VersionsProps) {
  return (
    <Panel title="Versions">
      <ScrollX label="Versions">
        <table className="plain">
          <thead>
            <tr>
              <th>Version</th>
              <th>Aliases</th>
              <th>Stage</th>
              <th>Gate</th>
              <th>Run</th>
              <th>Registered</th>
              <th>By</th>
              <th>Description</th>
            </tr>
          </thead>
          <tbody>
            {newestFirst(model.versions).map((each) => {
              const gate = gateOf(model.gates, each.version);
              return (
                <tr key={each.version} className={each.version === shown ? "selected" : ""}>
                  <th scope="row">
                    <Link
                      to="/models/$name"
                      params={{ name: model.name }}
                      search={{ version: each.version }}
                      onClick={() => onShow(each.version)}
                    >
                      {each.version}
                    </Link>
                    {each.status === "ready" ? null : (
                      <>
                        {" "}
                        <State status={each.status} />
                      </>
                    )}
                  </th>
                  <td>
                    <span className="row">
                      {each.aliases.map((alias) => (
                        <span key={alias} className="chip brass">
                          {alias}
                        </span>
                      ))}
                    </span>
                  </td>
                  <td>{each.stage === "None" ? <span className="muted">none</span> : each.stage}</td>
                  <td>{gate === null ? <span className="muted">none</span> : <State status={gate.state} />}</td>
                  <td>
                    {each.runId === null ? (
                      <span className="muted">none</span>
                    ) : (
                      <Link to="/runs/$id" params={{ id: each.runId }}>
                        run
                      </Link>
                    )}
                  </td>
                  <td className="when">{formatInstant(each.createdAt)}</td>
                  <td>{each.actor}</td>
                  <td>{each.description}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

export function PromotionHistory({ model }: { model: RegisteredModel }) {
  return (
    <Panel title="Promotion history" about="Who moved which alias, when and why; also what was refused.">
      {model.promotions.length === 0 ? (
        <Empty title="No alias has been moved yet" />
      ) : (
        <ScrollX label="Promotion history">
          <table className="plain">
            <thead>
              <tr>
                <th>When</th>
                <th>Decision</th>
                <th>Alias</th>
                <th>Versions</th>
                <th>By</th>
                <th>Reason</th>
                <th>Gate</th>
              </tr>
            </thead>
            <tbody>
              {latestFirst(model.promotions).map((each) => {
                const gate = model.gates.find(({ id }) => id === each.gateId);
                return (
                  <tr key={each.id}>
                    <td className="when">{formatInstant(each.at)}</td>
                    <td>
                      <State status={each.decision} />
                    </td>
                    <td>{each.alias}</td>
                    <td className="nowrap">
                      {each.fromVersion ?? "none"} → {each.toVersion}
                    </td>
                    <td>{each.actor}</td>
                    <td>{each.reason}</td>
                    <td>
                      {gate === undefined ? (
                        <span className="muted">none</span>
                      ) : (
                        <details>
                          <summary>
                            <State status={gate.state} />
                          </summary>
                          <Verdicts verdicts={gate.verdicts} />
                        </details>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </ScrollX>
      )}
    </Panel>
  );
}
