/** 2^27 + 1 splits a double into two halves of 26 bits. */
const SPLITTER = 134_217_729;

/**
 * Count, sum and sum of squares of a window that rows enter and leave, each sum as an unevaluated pair of doubles (about 32
 * digits). A plain running sum keeps the rounding of rows that have left, and the variance from plain sums cancels; with
 * pairs, sums and means depend on the rows alone and not on the order in which they came and went, so that the offline
 * sweep and the online scan give the same double; a standard deviation may differ by some 1e-16 of the largest value that
 * was in the window. Values are finite and of sizes within 15 decimal digits of one another; smaller ones drop out beside
 * larger ones, as they do in any sum of doubles.
 *
 * Sources: Knuth, TAOCP 2, 4.2.2 (TwoSum); Dekker, "A floating-point technique for extending the available precision",
 * 1971 (products).
 */
export class Moments {
  rows = 0;
  #sumHigh = 0;
  #sumLow = 0;
  #squareHigh = 0;
  #squareLow = 0;
  readonly #squares: boolean;

  /** @param squares whether `std` will be asked for */
  constructor(squares: boolean) {
    this.#squares = squares;
  }

  add(value: number): void {
    this.rows++;
    this.#accumulate(value, 1);
  }

  remove(value: number): void {
    if (--this.rows === 0) {
      this.#sumHigh = this.#sumLow = this.#squareHigh = this.#squareLow = 0;
      return;
    }
    this.#accumulate(value, -1);
  }

  /** All rows of another one. */
  merge(other: MomentSums): void {
    this.rows += other.rows;
    [this.#sumHigh, this.#sumLow] = pairSum(this.#sumHigh, this.#sumLow, other.sum, other.sumLow);
    if (this.#squares)
      [this.#squareHigh, this.#squareLow] = pairSum(this.#squareHigh, this.#squareLow, other.square, other.squareLow);
  }

  /** What `merge` takes. */
  sums(): MomentSums {
    return { rows: this.rows, sum: this.#sumHigh, sumLow: this.#sumLow, square: this.#squareHigh, squareLow: this.#squareLow };
  }

  #accumulate(value: number, sign: 1 | -1): void {
    const term = sign * value;
    const sum = this.#sumHigh + term;
    const bySum = sum - this.#sumHigh;
    const sumError = this.#sumHigh - (sum - bySum) + (term - bySum) + this.#sumLow;
    this.#sumHigh = sum + sumError;
    this.#sumLow = sumError - (this.#sumHigh - sum);
    if (this.#squares) this.#accumulateSquare(value, sign);
  }

  #accumulateSquare(value: number, sign: 1 | -1): void {
    const product = value * value;
    const big = SPLITTER * value;
    const high = big - (big - value);
    const low = value - high;
    const productError = high * high - product + 2 * high * low + low * low;
    const square = this.#squareHigh + sign * product;
    const bySquare = square - this.#squareHigh;
    const squareError =
      this.#squareHigh - (square - bySquare) + (sign * product - bySquare) + this.#squareLow + sign * productError;
    this.#squareHigh = square + squareError;
    this.#squareLow = squareError - (this.#squareHigh - square);
  }

  get sum(): number {
    return this.#sumHigh;
  }

  get mean(): number {
    return this.#sumHigh / this.rows;
  }

  /** Sample standard deviation, n - 1. NaN with fewer than two rows. */
  get std(): number {
    const n = this.rows;
    if (n < 2) return Number.NaN;
    const product = this.#sumHigh * this.#sumHigh;
    const big = SPLITTER * this.#sumHigh;
    const high = big - (big - this.#sumHigh);
    const low = this.#sumHigh - high;
    const productLow = high * high - product + 2 * high * low + low * low + 2 * this.#sumHigh * this.#sumLow;
    const quotient = product / n;
    const bigQuotient = SPLITTER * quotient;
    const quotientHigh = bigQuotient - (bigQuotient - quotient);
    const quotientRest = quotient - quotientHigh;
    // n has far fewer than 27 bits, so both partial products are exact.
    const remainder = product - quotientHigh * n - quotientRest * n;
    const quotientLow = (remainder + productLow) / n;
    const scatter = this.#squareHigh - quotient + (this.#squareLow - quotientLow);
    return Math.sqrt(Math.max(0, scatter) / (n - 1));
  }
}

/** Moments as pairs of doubles. */
export interface MomentSums {
  readonly rows: number;
  readonly sum: number;
  readonly sumLow: number;
  readonly square: number;
  readonly squareLow: number;
}

/**
 * Sum of two pairs of doubles, as a pair; off by at most 3·2^-106 of it. Source: Joldes, Muller and Popescu, "Tight and rigorous error
 * bounds for basic building blocks of double-word arithmetic", 2017, algorithm 6.
 */
function pairSum(high: number, low: number, otherHigh: number, otherLow: number): [high: number, low: number] {
  const sum = high + otherHigh;
  const bySum = sum - high;
  const error = high - (sum - bySum) + (otherHigh - bySum);
  const lows = low + otherLow;
  const byLows = lows - low;
  const lowsError = low - (lows - byLows) + (otherLow - byLows);
  const rest = error + lows;
  const near = sum + rest;
  const nearRest = rest - (near - sum);
  const last = lowsError + nearRest;
  const result = near + last;
  return [result, last - (result - near)];
}

export type WindowMoments = Readonly<Pick<Moments, "rows" | "sum" | "mean" | "std">>;
