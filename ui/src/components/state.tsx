import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "run" | "none";

/** Every status word the API uses, and what it means to a person: how it looks follows from this alone. */
const TONES: Record<string, Tone> = {
  healthy: "good",
  finished: "good",
  succeeded: "good",
  cached: "good",
  resolved: "good",
  promoted: "good",
  passed: "good",
  ready: "good",
  alive: "good",
  running: "run",
  queued: "run",
  attention: "warn",
  warning: "warn",
  acknowledged: "warn",
  "rolled-back": "warn",
  undefined: "warn",
  waiting: "warn",
  removed: "warn",
  failed: "bad",
  killed: "bad",
  critical: "bad",
  open: "bad",
  rejected: "bad",
  cancelled: "none",
  idle: "none",
  pending: "none",
  skipped: "none",
};
export const toneOf = (status: string): Tone => TONES[status] ?? "none";

/** A shape for each tone, so that colour never carries a meaning alone. Drawn around 0,0 with radius about 6. */
export function ToneShape({ tone }: { tone: Tone }): ReactNode {
  switch (tone) {
    case "good":
      return <circle r="5" fill="currentColor" />;
    case "run":
      return (
        <g className="mark-running">
          <circle r="3" fill="currentColor" />
          <circle r="6" fill="none" stroke="currentColor" strokeOpacity="0.4" />
          <g className="moon">
            <circle cx="6" r="1.9" fill="currentColor" />
          </g>
        </g>
      );
    case "warn":
      return <path d="M0 -6.2 L6.2 5 H-6.2 Z" fill="currentColor" />;
    case "bad":
      return <path d="M-5 -5 L5 5 M5 -5 L-5 5" stroke="currentColor" strokeWidth="2.6" fill="none" />;
    case "none":
      return <circle r="4.4" fill="none" stroke="currentColor" strokeWidth="1.6" />;
  }
}

export function ToneMark({ tone, size = 14 }: { tone: Tone; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="-8 -8 16 16" aria-hidden="true">
      <ToneShape tone={tone} />
    </svg>
  );
}

/** Shape, colour and word. */
export function State({ status, label }: { status: string; label?: string }) {
  const tone = toneOf(status);
  return (
    <span className={`state tone-${tone}`}>
      <ToneMark tone={tone} /> {label ?? status}
    </span>
  );
}
