import type { Approval, RegisteredModel } from "../../../../src/contract/index.ts";
import { formatInstant } from "../../components/format.ts";
import { Empty } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { Verdicts } from "../../components/verdicts.tsx";
import { useClient } from "../../session.tsx";
import { AskReason } from "./ask-reason.tsx";
import { asksForPeople, gateOf, lastWords } from "./prepare.ts";

/** What a version's gate said, and what people say where it asks them. */
export function GatePanel({ model, version }: { model: RegisteredModel; version: number }) {
  const client = useClient();
  const gate = gateOf(model.gates, version);
  const words = lastWords(model.approvals, version);
  const { name } = model;
  const against =
    gate === null || gate.championVersion === null ? "with no champion before it" : `against version ${gate.championVersion}`;
  return (
    <div className="stack">
      {gate === null ? (
        <Empty title={`No gate has been opened for version ${version}`}>
          A pipeline's gate step does that; versions from other tools have none.
        </Empty>
      ) : (
        <Panel
          title={`Gate of version ${version}`}
          about={`Opened ${formatInstant(gate.openedAt)}, ${against}`}
          actions={
            <span className="row">
              <State status={gate.state} />
              {asksForPeople(gate, words) ? (
                <>
                  <AskReason
                    model={name}
                    verb="Approve"
                    title={`Approve version ${version}`}
                    onReason={(reason) => client.models.approve({ name, version, reason })}
                  />
                  <AskReason
                    model={name}
                    verb="Decline"
                    title={`Decline version ${version}`}
                    onReason={(reason) => client.models.decline({ name, version, reason })}
                  />
                </>
              ) : null}
            </span>
          }
        >
          <Verdicts verdicts={gate.verdicts} />
        </Panel>
      )}
      {words.length === 0 ? null : <Words words={words} />}
    </div>
  );
}

function Words({ words }: { words: readonly Approval[] }) {
  return (
    <Panel title="What people said" about="Of each person the last word, which is the one that counts.">
      <ScrollX label="Approvals">
        <table className="plain">
          <thead>
            <tr>
              <th>When</th>
              <th>Decision</th>
              <th>By</th>
              <th>Roles</th>
              <th>Reason</th>
            </tr>
          </thead>
          <tbody>
            {words.map((word) => (
              <tr key={word.id}>
                <td className="when">{formatInstant(word.at)}</td>
                <td>
                  <State status={word.decision === "approved" ? "passed" : "rejected"} label={word.decision} />
                </td>
                <td>{word.actor}</td>
                <td>{word.roles.join(", ")}</td>
                <td>{word.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}
