import "./models.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { VersionLineage } from "../../../../src/contract/index.ts";
import { Loaded } from "../../components/loaded.tsx";
import { Panel, ScrollX } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { LINEAGE_COLUMNS, type LineageNode, type LineagePicture, lineagePicture } from "./lineage-picture.ts";

export function Lineage({ name, version }: { name: string; version: number }) {
  const client = useClient();
  const lineage = useQuery({
    queryKey: ["model", name, "lineage", version],
    queryFn: async () => {
      const own = await client.models.lineage({ name, version });
      const sources = [...new Set(own.data.map(({ source }) => source))];
      return { own, dependents: await Promise.all(sources.map((source) => client.models.dependents({ name: source }))) };
    },
  });
  return (
    <Panel
      title={`Lineage of version ${version}`}
      about="Where it comes from, from left to right, and which other versions were made of the same sources."
    >
      <Loaded query={lineage}>
        {({ own, dependents }) => {
          const picture = lineagePicture(own, dependents);
          return (
            <div className="stack">
              <ScrollX label="Lineage">
                <Picture picture={picture} />
              </ScrollX>
              <Around lineage={own} left={picture.left} />
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Around({ lineage, left }: { lineage: VersionLineage; left: number }) {
  const { data, erased, run, loggedModel, copyOf, inputModels } = lineage;
  const said = [
    ...(run === null ? ["No run is known for this version."] : []),
    ...(data.length === 0 ? ["No data is known that it was made from."] : []),
    ...erased.map(
      ({ at, rows }) => `It is no longer reproducible: an erasure of ${at.slice(0, 10)} took ${rows} rows out of its data.`,
    ),
    ...(copyOf === null ? [] : [`It is a copy of ${copyOf.model}, version ${copyOf.version}.`]),
    ...(loggedModel === null ? [] : [`It was logged as ${loggedModel.name} (${loggedModel.id}).`]),
    ...inputModels.map((model) => `Its run started from the model ${model}.`),
    ...(left === 0 ? [] : [`${left} more versions depend on these sources.`]),
  ];
  return said.map((sentence) => (
    <p key={sentence} className="muted" style={{ margin: 0 }}>
      {sentence}
    </p>
  ));
}

const [WIDTH, HEIGHT, COLUMN, ROW, HEAD] = [210, 46, 270, 62, 26];
/** What fits into a box in the larger letters and in the smaller ones. */
const [TITLE_LETTERS, ABOUT_LETTERS] = [24, 33];
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const left = ({ column }: LineageNode) => column * COLUMN;
const middle = ({ row }: LineageNode) => HEAD + row * ROW + HEIGHT / 2;

function Picture({ picture: { nodes, edges, rows } }: { picture: LineagePicture }) {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const width = 3 * COLUMN + WIDTH;
  return (
    <svg className="lineage-picture" viewBox={`-2 0 ${width + 4} ${HEAD + rows * ROW}`} style={{ maxWidth: width * 1.15 }}>
      <title>Lineage</title>
      {LINEAGE_COLUMNS.map((title, column) => (
        <text key={title} className="column" x={column * COLUMN} y={14}>
          {title}
        </text>
      ))}
      {edges.map(({ from, to, own }) => {
        const [start, end] = [byKey.get(from), byKey.get(to)];
        if (start === undefined || end === undefined) return null;
        const [x, y, toX, toY] = [left(start) + WIDTH, middle(start), left(end), middle(end)];
        const bend = Math.min(45, (toX - x) / 2);
        const path = `M${x} ${y} C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}`;
        return <path key={`${from} ${to}`} d={path} className={own ? "own" : ""} />;
      })}
      {nodes.map((node) => (
        <NodeLink key={node.key} node={node}>
          <g className={node.shown ? "shown" : ""}>
            <title>{`${node.title}: ${node.about}`}</title>
            <rect x={left(node)} y={middle(node) - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx={5} />
            <text x={left(node) + 10} y={middle(node) - 3}>
              {cut(node.title, TITLE_LETTERS)}
            </text>
            <text className="about" x={left(node) + 10} y={middle(node) + 14}>
              {cut(node.about, ABOUT_LETTERS)}
            </text>
          </g>
        </NodeLink>
      ))}
    </svg>
  );
}

function NodeLink({ node: { target }, children }: { node: LineageNode; children: ReactNode }) {
  if (target === null) return children;
  switch (target.page) {
    case "source":
      return (
        <Link to="/data" search={{ source: target.name }}>
          {children}
        </Link>
      );
    case "run":
      return (
        <Link to="/runs/$id" params={{ id: target.id }}>
          {children}
        </Link>
      );
    case "version":
      return (
        <Link to="/models/$name" params={{ name: target.model }} search={{ version: target.version, tab: "lineage" }}>
          {children}
        </Link>
      );
  }
}
