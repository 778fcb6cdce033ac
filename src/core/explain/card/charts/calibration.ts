import { type CalibrationBlock, figure } from "../card-blocks.ts";
import { escaped } from "./escape.ts";
import { scaleOver } from "./scale.ts";

const SIDE = 320;
const LEFT = 44;
const BOTTOM = SIDE - 40;
const LARGEST = 13;

/** Observed share over predicted probability; on the diagonal they are the same. A dot's area goes with its rows. */
export function calibrationSvg({ bins }: CalibrationBlock): string {
  const x = scaleOver([0, 1], LEFT, SIDE - 10);
  const y = scaleOver([0, 1], BOTTOM, 10);
  const most = bins.reduce((greatest, { rows }) => Math.max(greatest, rows), 1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${SIDE - 10}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>` +
      `<text class="label" x="${LEFT - 6}" y="${y.at(tick) + 4}">${figure(tick)}</text>` +
      `<text class="tick" x="${x.at(tick)}" y="${BOTTOM + 16}">${figure(tick)}</text>`,
  );
  const dots = bins.map(
    ({ predicted, observed, rows }) =>
      `<circle class="dot soft" cx="${x.at(predicted)}" cy="${y.at(observed)}" r="${(3 + LARGEST * Math.sqrt(rows / most)).toFixed(1)}"/>`,
  );
  const line = bins.map(({ predicted, observed }) => `${x.at(predicted)},${y.at(observed)}`).join(" ");
  const told = bins.map(
    ({ predicted, observed, rows }) => `${figure(predicted)} predicted, ${figure(observed)} observed of ${rows}`,
  );
  return (
    `<svg class="square" role="img" aria-label="${escaped(`Calibration: ${told.join("; ")}`)}" viewBox="0 0 ${SIDE} ${SIDE}">${grid.join("")}` +
    `<line class="reference" x1="${x.at(0)}" y1="${y.at(0)}" x2="${x.at(1)}" y2="${y.at(1)}"/>` +
    `<polyline class="mean" points="${line}"/>${dots.join("")}` +
    `<text class="tick" x="${(LEFT + SIDE - 10) / 2}" y="${SIDE - 6}">across: predicted; up: observed share</text></svg>`
  );
}
