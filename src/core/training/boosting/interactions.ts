/** The groups, and one more of the columns that are in none. */
export function completeGroups(groups: readonly (readonly number[])[], columns: number): readonly (readonly number[])[] {
  if (groups.length === 0) return groups;
  const named = new Set(groups.flat());
  const rest = Array.from({ length: columns }, (_, column) => column).filter((column) => !named.has(column));
  return rest.length === 0 ? groups : [...groups, rest];
}

/**
 * Columns (1) that a node below a path may split on: those of the groups that hold all columns of the path.
 * @param groups complete; empty: no constraint
 * @param sampled columns that the tree may use at all
 */
export function allowedColumns(
  groups: readonly (readonly number[])[],
  path: ReadonlySet<number>,
  sampled: Uint8Array,
): Uint8Array {
  if (groups.length === 0) return sampled;
  const allowed = new Uint8Array(sampled.length);
  for (const group of groups) {
    if (![...path].every((column) => group.includes(column))) continue;
    for (const column of group) allowed[column] = sampled[column];
  }
  return allowed;
}
