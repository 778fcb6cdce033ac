import type { MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { RegistrySearch } from "./interfaces.ts";
import type { RegistryRows } from "./registry-rows.ts";

export function registrySearch(_store: MetadataStore, _scope: Scope, _rows: RegistryRows): RegistrySearch {
  const missing = async () => {
    throw new TypeError("Searching the registry is not there yet");
  };
  return { searchModels: missing, searchVersions: missing };
}
