import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FeatureView } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatCount, formatInstant } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead, Panel, ScrollX, Tile } from "../../components/page.tsx";
import { State } from "../../components/state.tsx";
import { useClient } from "../../session.tsx";
import { byFreshness, earlierVersionsText, featureCount, localName } from "./prepare.ts";

export function FeaturesPage() {
  const client = useClient();
  const cache = useQueryClient();
  const views = useQuery({ queryKey: ["features"], queryFn: () => client.features.list() });
  const materialize = useMutation({
    mutationFn: () => client.features.materialize({}),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["features"] }),
  });
  return (
    <>
      <PageHead
        title="Features"
        about="One definition of each feature answers offline, as of any moment, and online."
        actions={
          <Button variant="default" loading={materialize.isPending} onClick={() => materialize.mutate()}>
            Materialize now
          </Button>
        }
      />
      <div aria-live="polite">
        {materialize.error === null ? null : <ErrorNotice error={materialize.error} />}
        {materialize.data === undefined ? null : (
          <p className="notice">
            Materialized:{" "}
            {materialize.data.views.map(({ view, entities }) => `${view} (${formatCount(entities)} entities)`).join(", ")}
          </p>
        )}
      </div>
      <Loaded
        query={views}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty title="No feature views">Define one with featureView() in the project.</Empty>}
      >
        {({ items }) => (
          <>
            <div className="columns tiles">
              <Tile label="Feature views" value={items.length} />
              <Tile label="Features" value={featureCount(items)} />
              <Tile label="Not yet online" value={items.filter(({ materializedUntil }) => materializedUntil === null).length} />
            </div>
            <Panel title="Feature views">
              <Views views={byFreshness(items)} />
            </Panel>
          </>
        )}
      </Loaded>
    </>
  );
}

function Views({ views }: { views: readonly FeatureView[] }) {
  return (
    <ScrollX label="Feature views">
      <table className="plain">
        <thead>
          <tr>
            <th>View</th>
            <th>Entity</th>
            <th>Source</th>
            <th>Online until</th>
            <th>Features</th>
          </tr>
        </thead>
        <tbody>
          {views.map((view) => (
            <tr key={view.name}>
              <th scope="row">{view.name}</th>
              <td>
                {view.entity === "" ? <span className="muted">none: everything at once</span> : view.entity}
                <br />
                <span className="small muted">{view.keys.join(", ")}</span>
              </td>
              <td>
                <Link to="/data" search={{ source: view.source }}>
                  {view.source}
                </Link>
              </td>
              <td className="when">
                {view.materializedUntil === null ? (
                  <State status="attention" label="not yet" />
                ) : (
                  <State status="healthy" label={formatInstant(view.materializedUntil)} />
                )}
                {view.earlierVersions === 0 ? null : (
                  <span className="small muted">
                    <br />
                    {earlierVersionsText(view.earlierVersions)}
                  </span>
                )}
              </td>
              <td>
                <span className="row" style={{ gap: "0.25rem" }}>
                  {view.features.map(({ id, type, seasonal }) => (
                    <span className="chip" key={id} title={id}>
                      {localName(id, view.name)} <span className="muted">{type}</span>
                      {seasonal ? <span className="tone-warn">seasonal</span> : null}
                    </span>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}
