import "./parallel-coordinates.css";
import { useElementSize } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ScrollX } from "../../components/page.tsx";
import { type ParallelChartData, type ParallelLine, stretchesOf } from "./parallel.ts";

const HEIGHT = 300;
const TOP = 30;
const BOTTOM = 16;
const LEFT = 70;
const RIGHT = 110;
const LEAST_GAP = 120;

const yOf = (at: number) => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM);
const shadeOf = (shade: number | null) =>
  shade === null ? "var(--o-none)" : `color-mix(in oklab, var(--o-high) ${Math.round(shade * 100)}%, var(--o-low))`;

/** One line a run across axes of params and metrics; its colour is its place on the last. */
export function ParallelCoordinates({ data }: { data: ParallelChartData }) {
  const [told, setTold] = useState<string | null>(null);
  const { ref, width: room } = useElementSize();
  const gaps = Math.max(1, data.axes.length - 1);
  const gap = Math.max(LEAST_GAP, (room - LEFT - RIGHT) / gaps);
  const xOf = (axis: number) => LEFT + axis * gap;
  const width = LEFT + gaps * gap + RIGHT;
  const line = data.lines.find(({ id }) => id === told);
  return (
    <div ref={ref}>
      <ScrollX label="Parallel coordinates">
        <svg
          className="parallel"
          width={width}
          height={HEIGHT}
          role="img"
          aria-label="Params and metrics of the runs, a line a run"
        >
          {data.lines.map((each) => (
            <Line key={each.id} line={each} xOf={xOf} faded={told !== null && told !== each.id} onTell={setTold} />
          ))}
          {data.axes.map((axis, index) => (
            <g key={axis.key} transform={`translate(${xOf(index)} 0)`}>
              <text className="name" y="14" textAnchor="middle">
                {axis.label.length > 22 ? `${axis.label.slice(0, 21)}…` : axis.label}
                <title>{axis.label}</title>
              </text>
              <line y1={TOP} y2={HEIGHT - BOTTOM} />
              {axis.ticks.map(({ at, label }) => (
                <text key={label} className="tick" x="6" y={yOf(at) + 4}>
                  {label.length > 18 ? `${label.slice(0, 17)}…` : label}
                </text>
              ))}
            </g>
          ))}
        </svg>
      </ScrollX>
      <p className="small muted parallel-told" aria-live="polite">
        {line === undefined ? "Point at a line to read it." : `${line.label}. ${line.values.join(", ")}`}
      </p>
    </div>
  );
}

interface LineProps {
  line: ParallelLine;
  xOf: (axis: number) => number;
  faded: boolean;
  onTell: (id: string | null) => void;
}

function Line({ line, xOf, faded, onTell }: LineProps) {
  const paths = stretchesOf(line).map((stretch) => stretch.map(({ axis, at }) => `${xOf(axis)},${yOf(at)}`).join(" L"));
  return (
    <Link
      to="/runs/$id"
      params={{ id: line.id }}
      aria-label={`${line.label}. ${line.values.join(", ")}`}
      className={faded ? "run faded" : "run"}
      onPointerEnter={() => onTell(line.id)}
      onPointerLeave={() => onTell(null)}
      onFocus={() => onTell(line.id)}
      onBlur={() => onTell(null)}
    >
      {paths.map((path) => (
        <path key={path} d={`M${path}`} stroke={shadeOf(line.shade)} />
      ))}
      {stretchesOf(line)
        .filter(({ length }) => length === 1)
        .flatMap((stretch) =>
          stretch.map(({ axis, at }) => <circle key={axis} cx={xOf(axis)} cy={yOf(at)} r="3" fill={shadeOf(line.shade)} />),
        )}
    </Link>
  );
}
