/*
 * Kernels of tree scoring. Rows come in blocks: the numbers of a column stand together, and so do the ranks of a slot, one byte a row
 * (see trees/ranked-splits.ts).
 */

const MISSING_RIGHT: u8 = 255;
const BIAS: u8 = 128;

@inline
function storeRank(row: usize, rank: usize, x: f64, whenLeft: usize, whenRight: usize): void {
  if (whenLeft != 0) store<u8>(whenLeft + row, <u8>rank - BIAS);
  if (whenRight != 0) store<u8>(whenRight + row, (x != x ? MISSING_RIGHT : <u8>rank) - BIAS);
}

/**
 * For each of `rows` numbers (a multiple of 4) how many thresholds are below it, less 128. A missing number has none below it at
 * `whenLeft` and all at `whenRight`; either is 0 where no split of the column sends missing numbers there.
 */
export function rankColumn(numbers: usize, rows: usize, thresholds: usize, size: usize, whenLeft: usize, whenRight: usize): void {
  for (let row: usize = 0; row < rows; row += 4) {
    const at = numbers + (row << 3);
    const a = load<f64>(at);
    const b = load<f64>(at, 8);
    const c = load<f64>(at, 16);
    const d = load<f64>(at, 24);
    // Four searches at a time, so that the waits for memory overlap.
    let ra: usize = 0;
    let rb: usize = 0;
    let rc: usize = 0;
    let rd: usize = 0;
    for (let step = size >> 1; step >= 8; step >>= 1) {
      const probe = thresholds + step - 8;
      ra += select<usize>(step, 0, load<f64>(probe + ra) < a);
      rb += select<usize>(step, 0, load<f64>(probe + rb) < b);
      rc += select<usize>(step, 0, load<f64>(probe + rc) < c);
      rd += select<usize>(step, 0, load<f64>(probe + rd) < d);
    }
    storeRank(row, ra >> 3, a, whenLeft, whenRight);
    storeRank(row + 1, rb >> 3, b, whenLeft, whenRight);
    storeRank(row + 2, rc >> 3, c, whenLeft, whenRight);
    storeRank(row + 3, rd >> 3, d, whenLeft, whenRight);
  }
}

/** Looks each of `rows` codes up in a table of `codes` bytes; byte `codes` is for codes past the table, the next one for missing ones. */
export function lookUpColumn(numbers: usize, rows: usize, table: usize, codes: u32, out: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const x = load<f64>(numbers + (row << 3));
    const code = min(<u32>(<i32>x), codes);
    store<u8>(out + row, load<u8>(table + select<usize>(codes + 1, code, x != x)));
  }
}

/** Leaf that each of 16 rows ends in, given the first plane whose byte is not 0: its number of trailing zeros plus 8 a plane. */
@inline
function leafOf(byte: v128, base: v128): v128 {
  const below = v128.andnot(i8x16.sub(byte, i8x16.splat(1)), byte);
  return i8x16.add(base, i8x16.popcnt(below));
}

@inline
function addLeaves(leaves: usize, values: usize, out: usize): void {
  for (let row: usize = 0; row < 64; row += 2) {
    const first = v128.load64_zero(values + (<usize>load<u8>(leaves + row) << 3));
    const both = v128.load_lane<u64>(values + (<usize>load<u8>(leaves + row, 1) << 3), first, 1);
    const sum = out + (row << 3);
    v128.store(sum, f64x2.add(v128.load(sum), both));
  }
}

/**
 * Adds the leaves of `count` trees to the sums of `rows` rows (a multiple of 64). A tree's leaves are bits from left to right, eight
 * to a plane; every split that sends a row right clears the leaves on its left, and the lowest bit left is the row's leaf (Lucchese
 * et al., "QuickScorer", SIGIR 2015; the planes of bytes are of Ye et al., "RapidScorer", KDD 2018).
 *
 * @param trees u32 each: first plane, planes, leaf values, offset of the output in `out`
 * @param leaves 64 bytes to work in
 */
export function scoreTrees(trees: usize, count: usize, ranks: usize, rows: usize, out: usize, leaves: usize): void {
  const end = trees + (count << 4);
  for (let tree = trees; tree < end; tree += 16) {
    const values = <usize>load<u32>(tree, 8);
    const sums = out + <usize>load<u32>(tree, 12);
    for (let row: usize = 0; row < rows; row += 64) {
      scoreRows(<usize>load<u32>(tree), <usize>load<u32>(tree, 4), ranks + row, leaves);
      addLeaves(leaves, values, sums + (row << 3));
    }
  }
}

/**
 * Leaves of 64 rows. Planes come from the last to the first; each is u32 first split, u32 end of its splits, u32 its first leaf in
 * each byte, and a split is u32 slot, i8 rank, u8 leaves to clear.
 */
@inline
function scoreRows(planes: usize, count: usize, ranks: usize, leaves: usize): void {
  const zero = i8x16.splat(0);
  let byteA = zero;
  let byteB = zero;
  let byteC = zero;
  let byteD = zero;
  let baseA = zero;
  let baseB = zero;
  let baseC = zero;
  let baseD = zero;
  const end = planes + count * 12;
  for (let plane = planes; plane < end; plane += 12) {
    let a = i8x16.splat(-1);
    let b = a;
    let c = a;
    let d = a;
    const last = <usize>load<u32>(plane, 4);
    for (let split = <usize>load<u32>(plane); split < last; split += 8) {
      const slot = ranks + <usize>load<u32>(split);
      const rank = v128.load8_splat(split, 4);
      const cleared = v128.load8_splat(split, 5);
      a = v128.andnot(a, v128.and(i8x16.gt_s(v128.load(slot), rank), cleared));
      b = v128.andnot(b, v128.and(i8x16.gt_s(v128.load(slot, 16), rank), cleared));
      c = v128.andnot(c, v128.and(i8x16.gt_s(v128.load(slot, 32), rank), cleared));
      d = v128.andnot(d, v128.and(i8x16.gt_s(v128.load(slot, 48), rank), cleared));
    }
    const base = v128.load32_splat(plane, 8);
    const isA = i8x16.ne(a, zero);
    const isB = i8x16.ne(b, zero);
    const isC = i8x16.ne(c, zero);
    const isD = i8x16.ne(d, zero);
    byteA = v128.bitselect(a, byteA, isA);
    byteB = v128.bitselect(b, byteB, isB);
    byteC = v128.bitselect(c, byteC, isC);
    byteD = v128.bitselect(d, byteD, isD);
    baseA = v128.bitselect(base, baseA, isA);
    baseB = v128.bitselect(base, baseB, isB);
    baseC = v128.bitselect(base, baseC, isC);
    baseD = v128.bitselect(base, baseD, isD);
  }
  v128.store(leaves, leafOf(byteA, baseA));
  v128.store(leaves, leafOf(byteB, baseB), 16);
  v128.store(leaves, leafOf(byteC, baseC), 32);
  v128.store(leaves, leafOf(byteD, baseD), 48);
}

/*
 * Walking, for trees of any size. A node is f64 threshold, u32 column (in bytes) and flags, u32 left child (position); the right
 * child follows the left one. A leaf leads to itself whatever it is given: its threshold is infinite and missing goes left.
 * A node that splits on categories holds u32 position and u32 words of its set in place of the threshold.
 */
const MISSING_LEFT: u32 = 1;
const CATEGORIES: u32 = 2;
const FLAGS: u32 = 7;

@inline
function next(node: usize, row: usize): usize {
  const test = load<u32>(node, 8);
  const x = load<f64>(row + (test & ~FLAGS));
  const missing = <u32>(x != x);
  let right: u32;
  if (test & CATEGORIES) right = missing | (~isMember(node, x) & 1);
  else right = <u32>(x > load<f64>(node)) | missing;
  return <usize>load<u32>(node, 12) + ((right & ~(missing & test & MISSING_LEFT)) << 4);
}

function isMember(node: usize, x: f64): u32 {
  const code = <u32>(<i32>x);
  if (code >> 5 >= load<u32>(node, 4)) return 0;
  return (load<u32>(<usize>load<u32>(node) + ((code >> 5) << 2)) >> (code & 31)) & 1;
}

/**
 * Leaves (positions) of one row in `count` trees, a multiple of 4, at `out`; four trees at a time, so that their waits for memory
 * overlap.
 */
export function walkRow(roots: usize, count: usize, row: usize, out: usize): void {
  for (let at: usize = 0; at < count << 2; at += 16) {
    let a = <usize>load<u32>(roots + at);
    let b = <usize>load<u32>(roots + at, 4);
    let c = <usize>load<u32>(roots + at, 8);
    let d = <usize>load<u32>(roots + at, 12);
    let moved = true;
    while (moved) {
      const nextA = next(a, row);
      const nextB = next(b, row);
      const nextC = next(c, row);
      const nextD = next(d, row);
      moved = ((nextA ^ a) | (nextB ^ b) | (nextC ^ c) | (nextD ^ d)) != 0;
      a = nextA;
      b = nextB;
      c = nextC;
      d = nextD;
    }
    store<u32>(out + at, <u32>a);
    store<u32>(out + at, <u32>b, 4);
    store<u32>(out + at, <u32>c, 8);
    store<u32>(out + at, <u32>d, 12);
  }
}

/**
 * Adds the leaves of `rows` rows (a multiple of 4) in one tree to their sums; four rows at a time.
 *
 * @param block rows of `rowBytes` bytes each
 * @param values f64 by node, in the order of `nodes`
 */
export function walkRows(
  root: usize,
  rows: usize,
  block: usize,
  rowBytes: usize,
  nodes: usize,
  values: usize,
  sums: usize,
): void {
  for (let row: usize = 0; row < rows; row += 4) {
    const rowA = block + row * rowBytes;
    const rowB = rowA + rowBytes;
    const rowC = rowB + rowBytes;
    const rowD = rowC + rowBytes;
    let a = root;
    let b = root;
    let c = root;
    let d = root;
    let moved = true;
    while (moved) {
      const nextA = next(a, rowA);
      const nextB = next(b, rowB);
      const nextC = next(c, rowC);
      const nextD = next(d, rowD);
      moved = ((nextA ^ a) | (nextB ^ b) | (nextC ^ c) | (nextD ^ d)) != 0;
      a = nextA;
      b = nextB;
      c = nextC;
      d = nextD;
    }
    const at = sums + (row << 3);
    store<f64>(at, load<f64>(at) + load<f64>(values + ((a - nodes) >> 1)));
    store<f64>(at, load<f64>(at, 8) + load<f64>(values + ((b - nodes) >> 1)), 8);
    store<f64>(at, load<f64>(at, 16) + load<f64>(values + ((c - nodes) >> 1)), 16);
    store<f64>(at, load<f64>(at, 24) + load<f64>(values + ((d - nodes) >> 1)), 24);
  }
}
