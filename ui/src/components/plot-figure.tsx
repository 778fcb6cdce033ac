import "./plot-figure.css";
import { type PlotOptions, plot } from "@observablehq/plot";
import { type ReactNode, useEffect, useRef, useState } from "react";

interface PlotFigureProps<T> {
  /** What the chart shows, for those who do not see it. */
  label: string;
  data: T;
  /** Keep it outside of the component: a new function draws the chart anew. */
  draw: (data: T, width: number) => PlotOptions;
  caption?: ReactNode;
}

/** A chart as wide as its place. It decides nothing: `data` comes prepared. */
export function PlotFigure<T>({ label, data, draw, caption }: PlotFigureProps<T>) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width < 40) return;
    const chart = plot({ width, style: { background: "none" }, ...draw(data, width) });
    place.current?.replaceChildren(chart);
    return () => chart.remove();
  }, [data, draw, width]);
  return (
    <figure className="chart">
      <div ref={place} role="img" aria-label={label} />
      {caption === undefined ? null : <figcaption>{caption}</figcaption>}
    </figure>
  );
}
