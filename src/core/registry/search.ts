import type { MetadataStore, ModelVersionTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { searchModelNames, searchVersionKeys } from "../tracking/index.ts";
import type { ModelVersion, RegistrySearch } from "./interfaces.ts";
import { chunksOf, type RegistryRows } from "./registry-rows.ts";

export function registrySearch(store: MetadataStore, scope: Scope, rows: RegistryRows): RegistrySearch {
  /** By model the newest version of each stage. */
  const latestVersions = async (names: readonly string[]): Promise<Map<string, ModelVersion[]>> => {
    const latest: ModelVersionTable[] = [];
    for (const chunk of chunksOf(names)) {
      const newest = await rows
        .versions()
        .clearSelect()
        .select((each) => ["model", "stage", each.fn.max("version").as("version")])
        .where("model", "in", chunk)
        .where("lifecycle", "=", "active")
        .groupBy(["model", "stage"])
        .execute();
      latest.push(...(await versionRows(newest)));
    }
    const read = await rows.readVersions(latest.toSorted((a, b) => a.version - b.version));
    return Map.groupBy(read, ({ model }) => model);
  };

  const versionRows = async (keys: readonly { readonly model: string; readonly version: number }[]) => {
    const found: ModelVersionTable[] = [];
    for (const chunk of chunksOf(keys)) {
      const numbers = [...Map.groupBy(chunk, ({ model }) => model)];
      found.push(
        ...(await rows
          .versions()
          .where(({ eb, or, and }) =>
            or(
              numbers.map(([model, of]) =>
                and([
                  eb("model", "=", model),
                  eb(
                    "version",
                    "in",
                    of.map(({ version }) => version),
                  ),
                ]),
              ),
            ),
          )
          .execute()),
      );
    }
    return found;
  };

  return {
    async searchModels(search) {
      const { ids, nextCursor } = await searchModelNames(store, scope, search);
      const byName = new Map<string, Awaited<ReturnType<typeof rows.readModels>>[number]>();
      for (const chunk of chunksOf(ids)) {
        const found = await rows.models().where("name", "in", chunk).execute();
        const models = await rows.readModels(found);
        for (const [i, { name }] of found.entries()) {
          const model = models[i];
          if (model !== undefined) byName.set(name, model);
        }
      }
      const latest = await latestVersions(ids);
      // One that was deleted since its name was found is left out.
      const items = ids.flatMap((name) => {
        const model = byName.get(name);
        return model === undefined ? [] : [{ ...model, latestVersions: latest.get(name) ?? [] }];
      });
      return { items, nextCursor };
    },
    async searchVersions(search) {
      const { ids, nextCursor } = await searchVersionKeys(store, scope, search);
      const keyOf = ({ model, version }: { readonly model: string; readonly version: number }) => `${version}/${model}`;
      const found = await rows.readVersions(await versionRows(ids));
      const byKey = new Map(found.map((version) => [keyOf(version), version]));
      const items = ids.flatMap((key) => {
        const version = byKey.get(keyOf(key));
        return version === undefined ? [] : [version];
      });
      return { items, nextCursor };
    },
  };
}
