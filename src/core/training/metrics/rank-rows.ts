import { trainErrors } from "../errors.ts";

/** Scored rows, highest score first. One sort that every ranking metric, curve and threshold reads. */
export interface RankedRows {
  readonly rows: number;
  /** Row of each place; equal scores keep the order of their rows. */
  readonly order: Uint32Array;
  /** By place, like everything below. */
  readonly score: Float64Array;
  /** 0 or 1. */
  readonly label: Uint8Array;
  /** `null`: every row counts once. */
  readonly weight: Float64Array | null;
  /** 1 in the last place of those that share a score. */
  readonly lastOfTie: Uint8Array;
}

/**
 * Sorts rows by score once.
 * @param scores any finite numbers: probabilities, log-odds, margins
 * @param weights at least 0 and finite; a row of weight 2 counts as two rows
 * @throws TRAIN_EVALUATION_INVALID when lengths differ, a label is not 0 or 1, a score not finite or a weight below 0
 */
export function rankRows(labels: Uint8Array, scores: Float64Array, weights?: Float64Array): RankedRows {
  checkLabels(labels, scores.length);
  checkFinite(scores, "score");
  checkWeights(weights, labels.length);
  const order = rowsByScore(scores);
  const rows = order.length;
  const score = new Float64Array(rows);
  const label = new Uint8Array(rows);
  const lastOfTie = new Uint8Array(rows);
  for (let place = 0; place < rows; place++) {
    const row = order[place];
    score[place] = scores[row];
    label[place] = labels[row];
  }
  for (let place = 0; place < rows; place++) lastOfTie[place] = score[place] === score[place + 1] ? 0 : 1;
  return { rows, order, score, label, weight: weights === undefined ? null : inOrder(weights, order), lastOfTie };
}

/** The same ranking with other weights (by row): a resample needs no second sort. */
export function reweigh(ranked: RankedRows, weights: Float64Array): RankedRows {
  return { ...ranked, weight: inOrder(weights, ranked.order) };
}

function inOrder(values: Float64Array, order: Uint32Array): Float64Array {
  const ordered = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) ordered[place] = values[order[place]];
  return ordered;
}

export function checkLabels(labels: Uint8Array, rows: number): void {
  if (labels.length !== rows) throw trainErrors.TRAIN_EVALUATION_INVALID(`${labels.length} labels for ${rows} rows`);
  for (let row = 0; row < rows; row++) {
    if (labels[row] > 1) throw trainErrors.TRAIN_EVALUATION_INVALID(`the label of row ${row} is ${labels[row]}, not 0 or 1`);
  }
}

export function checkFinite(values: Float64Array, what: string): void {
  for (let row = 0; row < values.length; row++) {
    if (!Number.isFinite(values[row])) {
      throw trainErrors.TRAIN_EVALUATION_INVALID(`the ${what} of row ${row} is ${values[row]}`, {
        hint: `Every ${what} must be a finite number: look at what the model answers for this row.`,
      });
    }
  }
}

export function checkWeights(weights: Float64Array | undefined, rows: number): void {
  if (weights === undefined) return;
  if (weights.length !== rows) throw trainErrors.TRAIN_EVALUATION_INVALID(`${weights.length} weights for ${rows} rows`);
  for (let row = 0; row < rows; row++) {
    if (!(weights[row] >= 0 && weights[row] < Number.POSITIVE_INFINITY)) {
      throw trainErrors.TRAIN_EVALUATION_INVALID(`the weight of row ${row} is ${weights[row]}`, {
        hint: "Weights must be finite and at least 0.",
      });
    }
  }
}

/** A 32-bit word is sorted by three digits: two of 11 bits, one of 10. */
const DIGIT_BITS = 11;
const DIGITS = 3;
const DIGIT_VALUES = 1 << DIGIT_BITS;
/** Runs up to this length are put in order by insertion. */
const SHORT_RUN = 32;

/**
 * Row indices by finite score, highest first, ties in row order. A radix sort on the bits of the doubles: the upper 32 bits (sign,
 * exponent, 20 bits of mantissa) nearly always decide, so they are sorted first and what they leave equal is settled
 * by insertion; only where that would be long are the lower 32 bits sorted too. -0 equals 0.
 */
export function rowsByScore(scores: Float64Array): Uint32Array {
  const rows = scores.length;
  const inRowOrder = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) inRowOrder[row] = row;
  const upper = descendingWords(scores, 1);
  const { words, order } = sortByWord(upper, inRowOrder);
  if (settleShortRuns(scores, words, order)) return order;
  const byLower = sortByWord(descendingWords(scores, 0), inRowOrder).order;
  const upperInOrder = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) upperInOrder[i] = upper[byLower[i]];
  return sortByWord(upperInOrder, byLower).order;
}

/** One half of each double (1: upper, 0: lower), mapped so that ascending words are descending numbers. */
function descendingWords(scores: Float64Array, half: 0 | 1): Uint32Array {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, 2 * scores.length);
  const words = new Uint32Array(scores.length);
  // Of a positive double's bits all but the sign are inverted; a negative one's already descend. -0 gets the word of 0.
  const inverted = half === 1 ? 0x7fffffff : 0xffffffff;
  for (let row = 0; row < words.length; row++) {
    const score = scores[row];
    if (score < 0) words[row] = bits[2 * row + half];
    else words[row] = score === 0 ? inverted : bits[2 * row + half] ^ inverted;
  }
  return words;
}

interface SortedWords {
  readonly words: Uint32Array;
  readonly order: Uint32Array;
}

/** Stable radix sort of words and of the rows they belong to, least digit first; a digit that all words share costs nothing. */
function sortByWord(words: Uint32Array, order: Uint32Array): SortedWords {
  const counts = digitCounts(words);
  let from: SortedWords = { words, order };
  let spare: SortedWords | null = null;
  for (let digit = 0; digit < DIGITS; digit++) {
    const start = counts.subarray(digit * DIGIT_VALUES, (digit + 1) * DIGIT_VALUES);
    if (start.includes(words.length)) continue;
    toStarts(start);
    const to: SortedWords = spare ?? { words: new Uint32Array(words.length), order: new Uint32Array(words.length) };
    scatter(from, to, start, digit * DIGIT_BITS);
    // The caller's own arrays stay as they are.
    spare = from.words === words ? null : from;
    from = to;
  }
  return from;
}

function digitCounts(words: Uint32Array): Uint32Array {
  const counts = new Uint32Array(DIGITS * DIGIT_VALUES);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    counts[word & (DIGIT_VALUES - 1)]++;
    counts[DIGIT_VALUES + ((word >>> DIGIT_BITS) & (DIGIT_VALUES - 1))]++;
    counts[2 * DIGIT_VALUES + (word >>> (2 * DIGIT_BITS))]++;
  }
  return counts;
}

/** From how often each digit occurs to the place of its first. */
function toStarts(counts: Uint32Array): void {
  let before = 0;
  for (let digit = 0; digit < counts.length; digit++) {
    const count = counts[digit];
    counts[digit] = before;
    before += count;
  }
}

function scatter(from: SortedWords, to: SortedWords, start: Uint32Array, shift: number): void {
  const { words: fromWords, order: fromOrder } = from;
  const { words: toWords, order: toOrder } = to;
  for (let i = 0; i < fromWords.length; i++) {
    const word = fromWords[i];
    const place = start[(word >>> shift) & (DIGIT_VALUES - 1)]++;
    toWords[place] = word;
    toOrder[place] = fromOrder[i];
  }
}

/** Orders rows of equal upper word by their scores; false where a run of different scores is too long for it. */
function settleShortRuns(scores: Float64Array, words: Uint32Array, order: Uint32Array): boolean {
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && words[end] === words[first]) end++;
    if (end - first > 1 && !isSorted(scores, order, first, end)) {
      if (end - first > SHORT_RUN) return false;
      insertionSort(scores, order, first, end);
    }
    first = end;
  }
  return true;
}

function isSorted(scores: Float64Array, order: Uint32Array, first: number, end: number): boolean {
  for (let i = first + 1; i < end; i++) if (scores[order[i]] > scores[order[i - 1]]) return false;
  return true;
}

function insertionSort(scores: Float64Array, order: Uint32Array, first: number, end: number): void {
  for (let i = first + 1; i < end; i++) {
    const row = order[i];
    let to = i;
    while (to > first && scores[order[to - 1]] < scores[row]) {
      order[to] = order[to - 1];
      to--;
    }
    order[to] = row;
  }
}
