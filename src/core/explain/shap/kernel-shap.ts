import { factorize, type Matrix, type RandomStream, seededRandom } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { checkColumns } from "./check-columns.ts";

/** What is shared among players: a set of them (a coalition) gets so much, by output. */
export interface CoalitionGame {
  readonly players: number;
  readonly outputs: number;
  /**
   * @param coalitions one byte a player, coalition after coalition: 1 where it belongs
   * @returns coalitions x outputs
   */
  value(coalitions: Uint8Array): Float64Array;
}

export interface KernelShapOptions {
  /** Coalitions evaluated; 2 x players + 2048 unless said. All of them are when there are no more: the answer is exact then. */
  readonly evaluations?: number;
  readonly seed?: number;
}

export interface KernelShap {
  /** Value of the empty coalition, by output. */
  readonly base: Float64Array;
  /** Outputs x players. `base` + the sum of an output's is the value of all players together, exactly. */
  readonly values: Float64Array;
  /** Standard errors by sampling, outputs x players; 0 where all coalitions were evaluated. */
  readonly standardErrors: Float64Array;
  readonly evaluations: number;
}

/**
 * Shapley values of any game. Where all coalitions can be evaluated, by their definition. Otherwise by weighted least squares (Lundberg
 * and Lee, NeurIPS 2017, Theorem 2) over coalitions drawn with the kernel's weights, each together with its complement, and the sum
 * of the values fixed (Covert and Lee, "Improving KernelSHAP", AISTATS 2021).
 * @throws EXPLAIN_BUDGET_TOO_SMALL when fewer than 4 evaluations a player are allowed, and not all coalitions;
 *   EXPLAIN_VALUES_INVALID for a game whose values are not finite, or not one an output of each coalition
 */
export function kernelShap(game: CoalitionGame, { evaluations, seed = 1 }: KernelShapOptions = {}): KernelShap {
  const { players } = game;
  const budget = evaluations ?? 2 * players + 2048;
  // A single player takes all, and needs no table of coalitions of its own.
  if (2 ** players <= budget || players <= 1) return exactValues(game);
  if (budget < 4 * players) {
    throw explainErrors.EXPLAIN_BUDGET_TOO_SMALL(`${budget} evaluations for ${players} features`);
  }
  return sampledValues(game, Math.floor((budget - 2) / 2), seededRandom(seed));
}

function valuesOf(game: CoalitionGame, coalitions: Uint8Array, count: number): Float64Array {
  const values = game.value(coalitions);
  if (values.length !== count * game.outputs) {
    throw explainErrors.EXPLAIN_VALUES_INVALID(`${values.length} values for ${count} coalitions x ${game.outputs} outputs`);
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw explainErrors.EXPLAIN_VALUES_INVALID(`coalition ${Math.floor(wrong / game.outputs)} is worth ${values[wrong]}`);
  return values;
}

function exactValues(game: CoalitionGame): KernelShap {
  const { players, outputs } = game;
  const sets = 2 ** players;
  const coalitions = Uint8Array.from({ length: sets * players }, (_, at) => (Math.floor(at / players) >> (at % players)) & 1);
  const values = valuesOf(game, coalitions, sets);
  const weights = setWeights(players);
  const phi = new Float64Array(outputs * players);
  for (let set = 0; set < sets; set++) {
    const size = bitsIn(set);
    for (let player = 0; player < players; player++) {
      // Sets with the player count for it, sets without against it.
      const weight = (set >> player) & 1 ? weights[size - 1] : -weights[size];
      for (let output = 0; output < outputs; output++) phi[output * players + player] += weight * values[set * outputs + output];
    }
  }
  return { base: values.slice(0, outputs), values: phi, standardErrors: new Float64Array(outputs * players), evaluations: sets };
}

/** Shapley's weight of a set of others by its size: size! (players - size - 1)! / players! */
function setWeights(players: number): Float64Array {
  const weights = new Float64Array(players + 1);
  let weight = 1 / players;
  for (let size = 0; size < players; size++) {
    weights[size] = weight;
    weight *= (size + 1) / (players - size - 1);
  }
  return weights;
}

function bitsIn(set: number): number {
  let bits = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

/**
 * With the last player's value put as what the others leave of the whole, each coalition z says that its gain is the sum of
 * (z_j - z_last) phi_j over the others. Its complement says the same with the opposite sign, so that a pair makes one equation: half
 * the difference of the two gains.
 */
function sampledValues(game: CoalitionGame, pairs: number, random: RandomStream): KernelShap {
  const { players, outputs } = game;
  const others = players - 1;
  const coalitions = drawPairs(players, pairs, random);
  const values = valuesOf(game, coalitions, 2 + 2 * pairs);
  const [none, all, first] = [0, outputs, 2 * outputs];

  const signs = new Float64Array(pairs * others);
  for (let pair = 0; pair < pairs; pair++) {
    const of = coalitions.subarray((2 + 2 * pair) * players);
    for (let j = 0; j < others; j++) signs[pair * others + j] = of[j] - of[others];
  }
  const solve = leastSquares(signs, others);
  const phi = new Float64Array(outputs * players);
  const standardErrors = new Float64Array(outputs * players);
  for (let output = 0; output < outputs; output++) {
    const whole = values[all + output] - values[none + output];
    const gains = Float64Array.from({ length: pairs }, (_, pair) => {
      const at = first + 2 * pair * outputs + output;
      const last = coalitions[(2 + 2 * pair) * players + others];
      return (values[at] - values[at + outputs]) / 2 - (last - 0.5) * whole;
    });
    const { solution, errors, errorOfSum } = solve(gains);
    const at = output * players;
    phi.set(solution, at);
    phi[at + others] = whole - solution.reduce((sum, value) => sum + value, 0);
    standardErrors.set(errors, at);
    standardErrors[at + others] = errorOfSum;
  }
  return { base: values.slice(0, outputs), values: phi, standardErrors, evaluations: 2 * pairs + 2 };
}

/** Nobody, everybody, then coalitions each followed by its complement; sizes come with the kernel's weights. */
function drawPairs(players: number, pairs: number, random: RandomStream): Uint8Array {
  const coalitions = new Uint8Array((2 + 2 * pairs) * players);
  coalitions.fill(1, players, 2 * players);
  // All sets of a size together weigh 1 / (size (players - size)).
  const cumulative = new Float64Array(players);
  for (let size = 1; size < players; size++) cumulative[size] = cumulative[size - 1] + 1 / (size * (players - size));
  const order = Uint32Array.from({ length: players }, (_, player) => player);
  for (let pair = 0; pair < pairs; pair++) {
    const drawn = (random.uint32() / 2 ** 32) * cumulative[players - 1];
    const size = cumulative.findIndex((weight) => weight > drawn);
    const at = (2 + 2 * pair) * players;
    for (let i = 0; i < size; i++) {
      const j = i + random.below(players - i);
      [order[i], order[j]] = [order[j], order[i]];
      coalitions[at + order[i]] = 1;
    }
    for (let player = 0; player < players; player++) coalitions[at + players + player] = 1 - coalitions[at + player];
  }
  return coalitions;
}

interface Solution {
  readonly solution: Float64Array;
  /** Standard errors of the solution and of its sum, robust to unequal variances (White, Econometrica 48, 1980). */
  readonly errors: Float64Array;
  readonly errorOfSum: number;
}

/** Ordinary least squares on a fixed design (equations x unknowns). */
function leastSquares(design: Float64Array, unknowns: number): (targets: Float64Array) => Solution {
  const equations = design.length / unknowns;
  const normal = new Float64Array(unknowns * unknowns);
  for (let row = 0; row < design.length; row += unknowns) {
    for (let i = 0; i < unknowns; i++) {
      if (design[row + i] === 0) continue;
      for (let j = 0; j <= i; j++) normal[i * unknowns + j] += design[row + i] * design[row + j];
    }
  }
  const factor = factorize(normal, unknowns);
  // What each equation adds to the solution for a unit of its target.
  const influence = new Float64Array(design.length);
  for (let row = 0; row < design.length; row += unknowns) influence.set(factor.solve(design.slice(row, row + unknowns)), row);

  return (targets) => {
    const solution = new Float64Array(unknowns);
    for (let at = 0; at < influence.length; at++) solution[at % unknowns] += influence[at] * targets[Math.floor(at / unknowns)];
    const variances = new Float64Array(unknowns);
    let varianceOfSum = 0;
    for (let equation = 0; equation < equations; equation++) {
      const row = equation * unknowns;
      let residual = targets[equation];
      let sum = 0;
      for (let j = 0; j < unknowns; j++) {
        residual -= design[row + j] * solution[j];
        sum += influence[row + j];
      }
      for (let j = 0; j < unknowns; j++) variances[j] += (residual * influence[row + j]) ** 2;
      varianceOfSum += (residual * sum) ** 2;
    }
    // Residuals are smaller than errors by what the fit has taken up.
    const correction = equations / Math.max(1, equations - unknowns);
    return {
      solution,
      errors: variances.map((variance) => Math.sqrt(variance * correction)),
      errorOfSum: Math.sqrt(varianceOfSum * correction),
    };
  };
}

/** Rows predicted at a time. */
const BATCH = 16_384;

/**
 * The game of one matrix row: players that belong have the row's values, all others a background row's, and the value is the mean
 * prediction over the background.
 * @param predict rows x outputs, row by row
 * @param players columns of each player; every column its own unless said
 * @throws EXPLAIN_NO_ROWS for an empty background, EXPLAIN_FEATURES_MISMATCH where it and the row have other columns
 */
export function matrixGame(
  predict: (matrix: Matrix) => Float64Array,
  outputs: number,
  row: ArrayLike<number>,
  background: Matrix,
  players: readonly (readonly number[])[] = background.columns.map((_, column) => [column]),
): CoalitionGame {
  if (background.rows === 0) throw explainErrors.EXPLAIN_NO_ROWS("the background has no rows");
  checkColumns(background, row.length);
  const playerOf = new Map(players.flatMap((columns, player) => columns.map((column) => [column, player])));
  return {
    players: players.length,
    outputs,
    value: (coalitions) =>
      meanByCoalition(coalitions, players.length, background.rows, outputs, (batch, count) => {
        const columns = background.columns.map((own, column) => {
          const player = playerOf.get(column);
          const mixed = new Float64Array(count * background.rows);
          for (let i = 0; i < count; i++) {
            const known = player !== undefined && batch[i * players.length + player] === 1;
            if (known) mixed.fill(row[column], i * background.rows, (i + 1) * background.rows);
            else mixed.set(own, i * background.rows);
          }
          return mixed;
        });
        return predict({ ...background, rows: count * background.rows, columns });
      }),
  };
}

/**
 * Predicts coalitions in batches and averages over the background.
 * @param predict takes some coalitions; rows are the background once for each, in order
 */
export function meanByCoalition(
  coalitions: Uint8Array,
  players: number,
  backgroundRows: number,
  outputs: number,
  predict: (batch: Uint8Array, count: number) => Float64Array,
): Float64Array {
  const count = coalitions.length / players;
  const means = new Float64Array(count * outputs);
  const perBatch = Math.max(1, Math.floor(BATCH / backgroundRows));
  for (let first = 0; first < count; first += perBatch) {
    const inBatch = Math.min(perBatch, count - first);
    const predicted = predict(coalitions.subarray(first * players, (first + inBatch) * players), inBatch);
    for (let at = 0; at < predicted.length; at++) {
      const coalition = first + Math.floor(at / (backgroundRows * outputs));
      means[coalition * outputs + (at % outputs)] += predicted[at] / backgroundRows;
    }
  }
  return means;
}
