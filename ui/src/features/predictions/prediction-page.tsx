import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Counterfactuals, Explanation, Prediction } from "../../../../src/contract/index.ts";
import { formatInstant, formatShare, formatValue } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX, Tile } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { changeRows, featureRows, goalText, waterfall } from "./prepare.ts";
import { WaterfallChart } from "./waterfall-chart.tsx";

export function PredictionPage() {
  const client = useClient();
  const { id } = useParams({ from: "/predictions/$id" });
  const prediction = useQuery({ queryKey: ["prediction", id], queryFn: () => client.predictions.get({ id }) });
  const explanation = useQuery({ queryKey: ["explanation", id], queryFn: () => client.predictions.explain({ id }) });
  const counterfactuals = useQuery({
    queryKey: ["counterfactuals", id],
    queryFn: () => client.predictions.counterfactuals({ id }),
  });
  return (
    <>
      <PageHead kicker={<Link to="/predictions">Predictions</Link>} title="Prediction" about={<code>{id}</code>} />
      <Loaded query={prediction}>{(data) => <Detail prediction={data} />}</Loaded>
      <Panel title="Why" about="SHAP values: what each feature added">
        <Loaded
          query={explanation}
          isEmpty={({ contributions }) => contributions.length === 0}
          empty={<Empty title="This model looks at no feature" />}
        >
          {(data) => <Why explanation={data} />}
        </Loaded>
      </Panel>
      <Panel
        title="What would have changed the decision"
        about="The smallest changes that the model would have decided differently for, nearest first. They describe the model, not the world."
      >
        <Loaded query={counterfactuals}>{(data) => <OtherDecisions answer={data} />}</Loaded>
      </Panel>
      {prediction.data === undefined ? null : <Inputs prediction={prediction.data} />}
    </>
  );
}

function Why({ explanation }: { explanation: Explanation }) {
  const data = useMemo(() => waterfall(explanation), [explanation]);
  return <WaterfallChart data={data} />;
}

function OtherDecisions({ answer }: { answer: Counterfactuals }) {
  const rows = changeRows(answer);
  const fixed = answer.immutable.length === 0 ? "" : ` Left as they are: ${answer.immutable.join(", ")}.`;
  if (rows.length === 0) {
    return (
      <Empty title="None within three features and what the training rows had">{`Needed: ${goalText(answer)}.${fixed}`}</Empty>
    );
  }
  return (
    <div className="stack">
      <ScrollX label="Changes to another decision">
        <table className="plain">
          <thead>
            <tr>
              <th>Way</th>
              <th>Feature</th>
              <th className="num">From</th>
              <th className="num">To</th>
              <th className="num">Probability then</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, way, feature, from, to, prediction }) => (
              <tr key={key}>
                <td>{way}</td>
                <th scope="row">{feature}</th>
                <td className="num">{from}</td>
                <td className="num">{to}</td>
                <td className="num">{prediction}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
      <p className="small muted">{`Needed: ${goalText(answer)}.${fixed}`}</p>
    </div>
  );
}

function Detail({ prediction }: { prediction: Prediction }) {
  return (
    <div className="columns tiles">
      <Tile label="Probability" value={formatShare(prediction.probability)} share={prediction.probability} />
      <Tile label="Decision" value={prediction.decision ? "act" : "do not act"} />
      <Tile
        label="Model version"
        value={prediction.version}
        note={
          <>
            {prediction.alias} of <Link to="/endpoints">{prediction.endpoint}</Link>
          </>
        }
      />
      <Tile label="Answered in" value={`${prediction.latencyMs.toFixed(2)} ms`} />
      <Tile label="At" value={formatInstant(prediction.at).slice(0, 10)} note={formatInstant(prediction.at).slice(11)} />
    </div>
  );
}

function Inputs({ prediction }: { prediction: Prediction }) {
  const rows = featureRows(prediction.features);
  return (
    <div className="columns two">
      <Panel title="Asked">
        <dl className="facts">
          {Object.entries({ ...prediction.keys, ...prediction.request }).map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{formatValue(value)}</dd>
            </div>
          ))}
          <dt>Reference</dt>
          <dd>{prediction.reference ?? "none"}</dd>
          <dt>No features found for</dt>
          <dd>{prediction.missing.length === 0 ? "none: all were found" : prediction.missing.join(", ")}</dd>
          <dt>Trace</dt>
          <dd>{prediction.traceId === null ? "not sampled" : <code>{prediction.traceId}</code>}</dd>
        </dl>
      </Panel>
      <Panel title="Features" about="As the model saw them">
        {rows.length === 0 ? (
          <Empty title="None" />
        ) : (
          <table className="plain">
            <tbody>
              {rows.map(({ feature, value, missing }) => (
                <tr key={feature}>
                  <th scope="row">{feature}</th>
                  <td className={missing ? "num muted" : "num"}>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
    </div>
  );
}
