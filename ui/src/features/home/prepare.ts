import type { StageState } from "../../../../src/contract/index.ts";
import { inLoopOrder, type StagePlace } from "../../components/stages.ts";
import { type Tone, toneOf } from "../../components/state.tsx";

export const ORBIT = { width: 620, height: 420, x: 310, y: 210, rx: 236, ry: 152, bodyRadius: 20 } as const;

export interface Body {
  readonly place: StagePlace;
  readonly state: StageState;
  readonly tone: Tone;
  readonly x: number;
  readonly y: number;
}

/** Eight bodies evenly on the orbit, the problem at the top and the loop running clockwise. */
export function placeBodies(stages: readonly StageState[]): Body[] {
  const ordered = inLoopOrder(stages);
  return ordered.map(({ place, state }, index) => {
    const angle = (2 * Math.PI * index) / ordered.length - Math.PI / 2;
    return {
      place,
      state,
      tone: toneOf(state.state),
      x: ORBIT.x + ORBIT.rx * Math.cos(angle),
      y: ORBIT.y + ORBIT.ry * Math.sin(angle),
    };
  });
}

/** The loop in one line: what asks for attention goes before what runs, and that before what is well. */
export function summarise(stages: readonly StageState[]): string {
  const labels = (wanted: StageState["state"]) =>
    inLoopOrder(stages)
      .filter(({ state }) => state.state === wanted)
      .map(({ place }) => place.label);
  const attention = labels("attention");
  if (attention.length > 0) return `${attention.join(" and ")} ${attention.length === 1 ? "asks" : "ask"} for attention`;
  const running = labels("running");
  if (running.length > 0) return `${running.join(" and ")} ${running.length === 1 ? "is" : "are"} at work`;
  if (labels("healthy").length > 0) return "All is well";
  return "Nothing has run yet";
}
