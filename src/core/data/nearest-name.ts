/** The name of `names` that a mistyped one most likely meant, or null where none is near. */
export function nearestName(mistyped: string, names: readonly string[]): string | null {
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(name.toLowerCase(), mistyped.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= Math.max(2, mistyped.length / 3) ? nearest.name : null;
}

/** Levenshtein's distance, by rows of its matrix. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
