import "./verdicts.css";
import type { GateVerdict } from "../../../src/contract/index.ts";
import { formatNumber } from "./format.ts";
import { State } from "./state.tsx";

const statusOf = ({ passed, waiting }: GateVerdict): string =>
  passed === null ? (waiting ? "waiting" : "undefined") : passed ? "passed" : "failed";

/** Criterion by criterion: the verdict, what was asked, what was seen. */
export function Verdicts({ verdicts }: { verdicts: readonly GateVerdict[] }) {
  return (
    <ul className="verdicts">
      {verdicts.map((verdict) => (
        <li key={verdict.text}>
          <State status={statusOf(verdict)} />
          <span>
            {verdict.text}
            <br />
            <span className="small muted">{verdict.detail}</span>
          </span>
          <span className="num">
            {verdict.observed === null ? "–" : formatNumber(verdict.observed)}
            {verdict.required === null ? null : <span className="muted small"> of {formatNumber(verdict.required)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
