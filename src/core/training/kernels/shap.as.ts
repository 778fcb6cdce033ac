/*
 * SHAP values from tables (see explain/shap/pattern-tables.ts): a unit is a part of a tree with a table that holds, for each pattern of
 * outcomes of its splits, one number for each of its columns.
 */

/**
 * Adds the numbers of `count` units to the sums of `rows` rows (a multiple of 64).
 *
 * @param units u32 each: first condition, end of those of the pattern's low byte, end of all, first column, end of columns, table
 * @param ranks of the rows: see trees/ranked-splits.ts
 * @param sums a column's place in it is what the unit's columns (u32) say
 * @param patterns 128 bytes to work in
 */
export function addUnits(units: usize, count: usize, ranks: usize, rows: usize, sums: usize, patterns: usize): void {
  const end = units + count * 24;
  for (let unit = units; unit < end; unit += 24) {
    for (let row: usize = 0; row < rows; row += 64) {
      findPatterns(unit, ranks + row, patterns);
      addRows(<usize>load<u32>(unit, 12), <usize>load<u32>(unit, 16), <usize>load<u32>(unit, 20), patterns, sums + (row << 3));
    }
  }
}

/**
 * Patterns of 64 rows as u16. A condition is u32 slot, i8 rank, u8 that turns "the row goes right" around, u8 bit of the pattern; it
 * sets the bit where it holds.
 */
@inline
function findPatterns(unit: usize, ranks: usize, patterns: usize): void {
  const first = <usize>load<u32>(unit);
  const middle = <usize>load<u32>(unit, 4);
  const end = <usize>load<u32>(unit, 8);
  for (let sixteen: usize = 0; sixteen < 64; sixteen += 16) {
    const low = bitsOf(first, middle, ranks + sixteen);
    const high = bitsOf(middle, end, ranks + sixteen);
    const at = patterns + (sixteen << 1);
    v128.store(at, v128.or(i16x8.extend_low_i8x16_u(low), i16x8.shl(i16x8.extend_low_i8x16_u(high), 8)));
    v128.store(at, v128.or(i16x8.extend_high_i8x16_u(low), i16x8.shl(i16x8.extend_high_i8x16_u(high), 8)), 16);
  }
}

@inline
function bitsOf(first: usize, end: usize, ranks: usize): v128 {
  let bits = i8x16.splat(0);
  for (let condition = first; condition < end; condition += 8) {
    const right = i8x16.gt_s(v128.load(ranks + <usize>load<u32>(condition)), v128.load8_splat(condition, 4));
    const holds = v128.xor(right, v128.load8_splat(condition, 5));
    bits = v128.or(bits, v128.and(holds, v128.load8_splat(condition, 6)));
  }
  return bits;
}

@inline
function addRows(first: usize, end: usize, table: usize, patterns: usize, sums: usize): void {
  const width = (end - first) << 1;
  for (let row: usize = 0; row < 64; row += 4) {
    const pattern = patterns + (row << 1);
    let a = table + <usize>load<u16>(pattern) * width;
    let b = table + <usize>load<u16>(pattern, 2) * width;
    let c = table + <usize>load<u16>(pattern, 4) * width;
    let d = table + <usize>load<u16>(pattern, 6) * width;
    const ofRow = sums + (row << 3);
    for (let column = first; column < end; column += 4) {
      const at = ofRow + <usize>load<u32>(column);
      const ab = v128.load_lane<u64>(b, v128.load64_zero(a), 1);
      const cd = v128.load_lane<u64>(d, v128.load64_zero(c), 1);
      v128.store(at, f64x2.add(v128.load(at), ab));
      v128.store(at, f64x2.add(v128.load(at, 16), cd), 16);
      a += 8;
      b += 8;
      c += 8;
      d += 8;
    }
  }
}

/**
 * Path-dependent SHAP values of one row in one tree (see explain/shap/path-walk.ts). Nodes come parents first, the root at 0; all
 * vectors are `size` bytes, a multiple of 16.
 *
 * @param nodes 24 bytes each: u32 parent, u32 the last node above whose branch splits the same column (0: none), u32 place in `phi`
 *   (bytes), u32 1 for a right child, f64 value of a leaf or 0
 * @param factors six vectors a node, by state (0: the row strays above, 1: it strays here, 2: it takes the branch): what the product
 *   is multiplied by, then what the sum below is worth
 * @param right u8 by node: 1 where the row goes right below it
 * @param states u8 by node
 */
export function walkPaths(
  nodes: usize,
  count: usize,
  size: usize,
  factors: usize,
  right: usize,
  states: usize,
  products: usize,
  sums: usize,
  phi: usize,
): void {
  for (let node: usize = 1; node < count; node++) {
    const record = nodes + node * 24;
    const parent = <usize>load<u32>(record);
    const takes = <u32>(load<u8>(right + parent) == load<u32>(record, 12));
    const above = load<u8>(states + <usize>load<u32>(record, 4));
    const state = above == 2 ? 1 + takes : 0;
    store<u8>(states + node, <u8>state);
    const factor = factors + (node * 6 + state) * size;
    const from = products + parent * size;
    const to = products + node * size;
    const sum = sums + node * size;
    const value = v128.load64_splat(record, 16);
    for (let at: usize = 0; at < size; at += 16) {
      const product = f64x2.mul(v128.load(from + at), v128.load(factor + at));
      v128.store(to + at, product);
      v128.store(sum + at, f64x2.mul(value, product));
    }
  }
  for (let node = count - 1; node > 0; node--) {
    const record = nodes + node * 24;
    const worth = factors + (node * 6 + 3 + <usize>load<u8>(states + node)) * size;
    const sum = sums + node * size;
    const into = sums + <usize>load<u32>(record) * size;
    let gained = f64x2.splat(0);
    for (let at: usize = 0; at < size; at += 16) {
      const below = v128.load(sum + at);
      v128.store(into + at, f64x2.add(v128.load(into + at), below));
      gained = f64x2.add(gained, f64x2.mul(below, v128.load(worth + at)));
    }
    const place = phi + <usize>load<u32>(record, 8);
    store<f64>(place, load<f64>(place) + (f64x2.extract_lane(gained, 0) + f64x2.extract_lane(gained, 1)));
  }
}
