import "./orrery.css";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Loop } from "../../../../src/contract/index.ts";
import { stageLink } from "../../components/stages.ts";
import { State, ToneShape } from "../../components/state.tsx";
import { type Body, ORBIT, placeBodies, summarise } from "./prepare.ts";

/** The loop as an orrery, and beside it the same as a list: what one points at in either is told in the centre. */
export function Orrery({ loop }: { loop: Loop }) {
  const [pointed, setPointed] = useState<string | null>(null);
  const bodies = useMemo(() => placeBodies(loop.stages), [loop.stages]);
  const body = bodies.find(({ place }) => place.stage === pointed);
  const pointing = (stage: string) => ({
    onMouseEnter: () => setPointed(stage),
    onMouseLeave: () => setPointed(null),
    onFocus: () => setPointed(stage),
    onBlur: () => setPointed(null),
  });
  return (
    <div className="columns wide-left">
      <div className="orrery">
        <svg viewBox={`0 0 ${ORBIT.width} ${ORBIT.height}`} aria-label="The loop">
          <ellipse className="orbit" cx={ORBIT.x} cy={ORBIT.y} rx={ORBIT.rx} ry={ORBIT.ry} />
          <circle className="ticks" cx={ORBIT.x} cy={ORBIT.y} r={93} />
          <circle className="hub" cx={ORBIT.x} cy={ORBIT.y} r={87} />
          {bodies.map((each) => (
            <BodyLink key={each.place.stage} body={each} pointing={pointing(each.place.stage)} />
          ))}
        </svg>
        <div className="centre" aria-live="polite">
          <strong>{body === undefined ? loop.project : body.place.label}</strong>
          <span className={body === undefined ? "" : "muted"}>
            {body === undefined ? summarise(loop.stages) : body.state.headline}
          </span>
        </div>
      </div>
      <ul className="stage-list" aria-label="Stages">
        {bodies.map(({ place, state }) => (
          <li key={place.stage}>
            <Link {...stageLink(place)} data-focus={pointed === place.stage} {...pointing(place.stage)}>
              <State status={state.state} label={place.label} />
              <span>{state.headline}</span>
              <span className="small muted">{state.state}</span>
              <span className="small muted">{state.detail}</span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface Pointing {
  onMouseEnter: () => void;
  onMouseLeave: () => void;
  onFocus: () => void;
  onBlur: () => void;
}

function BodyLink({ body, pointing }: { body: Body; pointing: Pointing }) {
  const { place, state, tone, x, y } = body;
  const below = ORBIT.bodyRadius + 15;
  return (
    <Link
      {...stageLink(place)}
      className={`tone-${tone}`}
      aria-label={`${place.label}: ${state.state}. ${state.headline}`}
      {...pointing}
    >
      <g transform={`translate(${x} ${y})`}>
        <rect className="hit" x="-48" y="-26" width="96" height="78" />
        <circle className="ring" r={ORBIT.bodyRadius} />
        <g transform="scale(1.5)">
          <ToneShape tone={tone} />
        </g>
        <text y={below}>{place.label}</text>
        <text className="sub" y={below + 14}>
          {state.state}
        </text>
      </g>
    </Link>
  );
}
