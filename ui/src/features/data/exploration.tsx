import { Select } from "@mantine/core";
import { barX, cell, type PlotOptions, ruleX, text } from "@observablehq/plot";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { formatCount } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { Panel } from "../../components/page.tsx";
import { PlotFigure } from "../../components/plot-figure.tsx";
import { useClient } from "../../session.tsx";
import {
  type Bar,
  type CorrelationCell,
  correlationCells,
  correlationColour,
  missingBars,
  targetBars,
  targetChoices,
} from "./prepare-exploration.ts";

/** A source's columns together: correlations, what is missing with what, and what goes with a target. */
export function Exploration({ source }: { source: string }) {
  const client = useClient();
  const [target, setTarget] = useState<string | null>(null);
  const exploration = useQuery({
    queryKey: ["exploration", source, target],
    queryFn: () => client.data.exploration({ name: source, ...(target === null ? {} : { target }) }),
    placeholderData: keepPreviousData,
  });
  return (
    <Loaded query={exploration} isEmpty={({ profile }) => profile.columns.length === 0} empty={<Empty title="No columns" />}>
      {(found) => {
        const [cells, missing, related] = [correlationCells(found), missingBars(found), targetBars(found)];
        return (
          <>
            <Panel
              title="Correlations"
              about={`By ranks (Spearman), of ${formatCount(found.sampledRows)} rows: blue goes up together, red goes against.`}
            >
              {cells.length === 0 ? (
                <Empty title="No two columns of numbers" />
              ) : (
                <PlotFigure label={`Correlations of the columns of ${source}`} data={cells} draw={drawCorrelations} />
              )}
            </Panel>
            <Panel title="Missing together" about="Columns that are null in the same rows, and in what share of all rows.">
              {missing.length === 0 ? (
                <Empty title="Nothing is missing" />
              ) : (
                <PlotFigure label={`Columns of ${source} that are missing together`} data={missing} draw={drawBars} />
              )}
            </Panel>
            <Panel
              title="What goes with a target"
              about="The share of the target's uncertainty that each column alone takes away."
            >
              <Select
                aria-label="Target"
                placeholder="Choose a column"
                searchable
                clearable
                data={targetChoices(found)}
                value={target}
                onChange={setTarget}
              />
              {found.target === null ? null : related.length === 0 ? (
                <Empty title={`Nothing goes with ${found.target.column}`} />
              ) : (
                <PlotFigure
                  label={`What goes with ${found.target.column}`}
                  data={related}
                  draw={drawBars}
                  caption={`${found.target.column} is known in ${formatCount(found.target.rows)} rows`}
                />
              )}
            </Panel>
          </>
        );
      }}
    </Loaded>
  );
}

/** Wide enough for names of columns; longer ones are cut by the picture's edge. */
const NAMES = 150;
const BELOW = 90;
const FIGURES_FROM = 44;

function drawCorrelations(cells: readonly CorrelationCell[], width: number): PlotOptions {
  const count = Math.sqrt(cells.length);
  const side = Math.min(56, (width - NAMES) / count);
  return {
    width: NAMES + side * count,
    height: BELOW + side * count,
    marginLeft: NAMES,
    marginBottom: BELOW,
    marginTop: 0,
    marginRight: 0,
    padding: 0.06,
    x: { label: null, tickRotate: -45, tickSize: 0 },
    y: { label: null, tickSize: 0 },
    marks: [
      cell(cells, {
        x: "column",
        y: "row",
        fill: ({ value }: CorrelationCell) => correlationColour(value),
        sort: { x: null, y: null },
        title: ({ row, column, value }: CorrelationCell) =>
          `${row} and ${column}: ${value === null ? "constant" : value.toFixed(2)}`,
        tip: true,
      }),
      ...(side < FIGURES_FROM
        ? []
        : [
            text(cells, {
              x: "column",
              y: "row",
              text: ({ value }: CorrelationCell) => (value === null ? "–" : value.toFixed(2)),
              fill: "var(--o-ink)",
            }),
          ]),
    ],
  };
}

function drawBars(bars: readonly Bar[]): PlotOptions {
  return {
    height: 34 + 26 * bars.length,
    marginLeft: NAMES,
    x: { label: null, grid: true, tickFormat: "%" },
    y: { label: null, tickSize: 0 },
    marks: [
      barX(bars, {
        x: "share",
        y: "name",
        fill: "var(--o-chart-1)",
        fillOpacity: 0.75,
        sort: { y: null },
        title: "title",
        tip: true,
      }),
      ruleX([0], { stroke: "var(--o-line-strong)" }),
    ],
  };
}
