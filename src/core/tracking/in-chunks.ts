const MOST = 500;

/**
 * Asks for many keys a few hundred at a time: databases bind a limited number of values. The number in one question is a power of two
 * (the last key is repeated), so that few statements are ever prepared.
 */
export async function inChunks<Key, Row>(
  keys: readonly Key[],
  query: (some: readonly Key[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let from = 0; from < keys.length; from += MOST) {
    const some = keys.slice(from, from + MOST);
    const last = some.at(-1);
    if (last === undefined) break;
    const size = 2 ** Math.ceil(Math.log2(some.length));
    for (const row of await query([...some, ...Array<Key>(size - some.length).fill(last)])) rows.push(row);
  }
  return rows;
}
