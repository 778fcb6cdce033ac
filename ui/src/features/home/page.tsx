import type { Loop } from "../../../../src/contract/index.ts";
import { Alerts } from "../../components/alerts.tsx";
import { formatNumber } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel } from "../../components/page.tsx";
import { useLoop } from "../../components/use-loop.ts";
import { Verdicts } from "../../components/verdicts.tsx";
import { useSession } from "../../session.tsx";
import { Orrery } from "./orrery.tsx";

export function HomePage() {
  const loop = useLoop();
  const { context } = useSession();
  return (
    <>
      <PageHead kicker={`${context.workspace} / ${context.project}`} title="The loop" about={loop.data?.charter.problem} />
      <Loaded query={loop}>{(data) => <Home loop={data} />}</Loaded>
    </>
  );
}

function Home({ loop }: { loop: Loop }) {
  const open = loop.alerts.filter(({ status }) => status !== "resolved");
  return (
    <>
      <Panel title="Where it stands">
        <Orrery loop={loop} />
      </Panel>
      <Panel title="Open alerts" about={open.length === 0 ? undefined : `${open.length} not resolved`}>
        {open.length === 0 ? <Empty title="No open alerts" /> : <Alerts alerts={open} />}
      </Panel>
      <div className="columns two">
        <Panel title="Charter" id="charter">
          <CharterFacts charter={loop.charter} />
        </Panel>
        <Panel title="Acceptance" about="The champion's last gate">
          {loop.acceptance.length === 0 ? (
            <Empty title="No gate has been opened yet">
              Criteria to come: {loop.charter.criteria.length === 0 ? "none" : loop.charter.criteria.join("; ")}
            </Empty>
          ) : (
            <Verdicts verdicts={loop.acceptance} />
          )}
        </Panel>
      </div>
    </>
  );
}

function CharterFacts({ charter }: { charter: Loop["charter"] }) {
  const { act, threshold, alternative, payoff } = charter;
  return (
    <dl className="facts">
      <dt>Target</dt>
      <dd>
        {charter.target}
        {charter.targetType === "binary" ? null : ` (${charter.targetType})`}
      </dd>
      {act === null ? null : (
        <>
          <dt>Decision</dt>
          <dd>
            {act}
            {threshold === null ? null : `, from a probability of ${formatNumber(threshold)} on`}
          </dd>
        </>
      )}
      {alternative === null ? null : (
        <>
          <dt>Without a model</dt>
          <dd>
            <code>{alternative}</code>
          </dd>
        </>
      )}
      {payoff === null ? null : (
        <>
          <dt>Payoff</dt>
          <dd>
            <PayoffTable payoff={payoff} />
          </dd>
        </>
      )}
      <dt>Owner</dt>
      <dd>{charter.owner}</dd>
      <dt>Used by</dt>
      <dd>{charter.users.join(", ")}</dd>
    </dl>
  );
}

function PayoffTable({ payoff }: { payoff: NonNullable<Loop["charter"]["payoff"]> }) {
  return (
    <table className="plain" style={{ maxWidth: 300 }}>
      <thead>
        <tr>
          <th />
          <th className="num">it happens</th>
          <th className="num">it does not</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">act</th>
          <td className="num">{formatNumber(payoff.truePositive)}</td>
          <td className="num">{formatNumber(payoff.falsePositive)}</td>
        </tr>
        <tr>
          <th scope="row">wait</th>
          <td className="num">{formatNumber(payoff.falseNegative)}</td>
          <td className="num">{formatNumber(payoff.trueNegative)}</td>
        </tr>
      </tbody>
    </table>
  );
}
