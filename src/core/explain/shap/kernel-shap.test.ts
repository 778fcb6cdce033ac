import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomColumns, randomTree } from "../../../../test/fixtures/random-trees.ts";
import { createTreesScorer, seededRandom, type TreesEstimator } from "../../training/index.ts";
import { createInterventionalShap } from "./interventional-shap.ts";
import { type CoalitionGame, kernelShap, matrixGame } from "./kernel-shap.ts";
import { distance, shapleyValues } from "./shapley.fixture.ts";

/** A game of one output from a function of the set of players. */
const gameOf = (players: number, worth: (known: ReadonlySet<number>) => number): CoalitionGame => ({
  players,
  outputs: 1,
  value: (coalitions) =>
    Float64Array.from({ length: coalitions.length / players }, (_, i) => {
      const of = coalitions.subarray(i * players, (i + 1) * players);
      return worth(new Set([...of.keys()].filter((player) => of[player] === 1)));
    }),
});

/** Worth of a set as a sum over its members and pairs of members. */
function pairwiseGame(players: number, seed: number) {
  const random = seededRandom(seed);
  const strength = Array.from({ length: players * players }, () => random.below(2_001) / 1_000 - 1);
  return gameOf(players, (known) => {
    let sum = 0.3;
    for (const i of known) for (const j of known) if (i <= j) sum += strength[i * players + j];
    return sum;
  });
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

function treesGame(columns: number, outputs: number) {
  const random = seededRandom(11);
  const trees = Array.from({ length: 3 * outputs }, () => randomTree(random, { columns, splits: 25 }));
  const estimator: TreesEstimator = { kind: "trees", link: "identity", base: new Float64Array(outputs), trees };
  const background = { rows: 6, columns: randomColumns(random, 6, { columns }) };
  const row = Float64Array.from(randomColumns(random, 1, { columns }), (column) => column[0]);
  const game = matrixGame((matrix) => createTreesScorer(estimator).scoreMatrix(matrix), outputs, row, background);
  const exact = new Float64Array(outputs * columns);
  const shap = createInterventionalShap(estimator, background);
  shap.explainRow(row, exact);
  return { game, exact, base: shap.base };
}

describe("kernel SHAP", () => {
  it("is exact where all coalitions are evaluated, to 1e-9", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer(), (players, seed) => {
        const game = pairwiseGame(players, seed);
        const { values, standardErrors, evaluations } = kernelShap(game);
        const worth = (known: ReadonlySet<number>) =>
          game.value(Uint8Array.from({ length: players }, (_, player) => (known.has(player) ? 1 : 0)))[0];
        expect(distance(values, shapleyValues(players, worth))).toBeLessThan(1e-9);
        expect(sumOf(standardErrors)).toBe(0);
        expect(evaluations).toBe(2 ** players);
      }),
      { numRuns: 40 },
    );
  });

  it("equals the interventional values of trees, for every output, to 1e-9", () => {
    const { game, exact, base } = treesGame(7, 2);
    const found = kernelShap(game);
    expect(distance(found.values, exact)).toBeLessThan(1e-9);
    expect(distance(found.base, base)).toBeLessThan(1e-9);
  });

  it("samples within four standard errors of the exact values, and adds up exactly", () => {
    const { game, exact } = treesGame(13, 2);
    const whole = game.value(new Uint8Array(13).fill(1));
    for (let seed = 1; seed <= 20; seed++) {
      const { base, values, standardErrors } = kernelShap(game, { evaluations: 1_200, seed });
      values.forEach((value, i) => {
        expect(Math.abs(value - exact[i])).toBeLessThan(4 * standardErrors[i] + 1e-9);
      });
      for (let output = 0; output < 2; output++) {
        const sum = sumOf(values.subarray(output * 13, (output + 1) * 13));
        expect(Math.abs(base[output] + sum - whole[output])).toBeLessThan(1e-9);
      }
    }
  });

  it("says errors of the size that it makes: their mean square over seeds is the stated one within half", () => {
    const { game, exact } = treesGame(13, 1);
    let squared = 0;
    let stated = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { values, standardErrors } = kernelShap(game, { evaluations: 600, seed });
      values.forEach((value, i) => {
        squared += (value - exact[i]) ** 2;
        stated += standardErrors[i] ** 2;
      });
    }
    expect(squared / stated).toBeGreaterThan(0.5);
    expect(squared / stated).toBeLessThan(1.5);
  });

  it("has no error in a game of single players and pairs, however few coalitions are drawn", () => {
    const game = gameOf(40, (known) => {
      const single = [...known].reduce((sum, player) => sum + Math.sin(player), 0);
      return single + (known.has(0) && known.has(39) ? 8 : 0);
    });
    const { values, standardErrors } = kernelShap(game, { evaluations: 200 });
    const expected = Float64Array.from({ length: 40 }, (_, player) => Math.sin(player) + (player % 39 === 0 ? 4 : 0));
    expect(distance(values, expected)).toBeLessThan(1e-9);
    expect(Math.max(...standardErrors)).toBeLessThan(1e-9);
  });

  it("gives the same values for the same seed, and others for another", () => {
    const game = pairwiseGame(20, 3);
    const options = { evaluations: 300 };
    const cubic = gameOf(20, (known) => known.size ** 3 + (known.has(3) && known.has(5) && known.has(7) ? 9 : 0));
    expect(kernelShap(game, options)).toEqual(kernelShap(game, options));
    expect(kernelShap(cubic, { ...options, seed: 2 }).values).not.toEqual(kernelShap(cubic, options).values);
  });

  it("treats columns of one player as one", () => {
    const background = { rows: 2, columns: [Float64Array.of(0, 1), Float64Array.of(0, 1), Float64Array.of(5, 5)] };
    const game = matrixGame(({ columns: [a, b, c] }) => a.map((x, i) => x * b[i] + c[i]), 1, [3, 4, 7], background, [
      [0, 1],
      [2],
    ]);
    const { base, values } = kernelShap(game);
    // The background gives 0 x 0 + 5 and 1 x 1 + 5; the row 3 x 4 + 7.
    expect([...base]).toEqual([5.5]);
    expect(distance(values, [11.5, 2])).toBeLessThan(1e-12);
  });

  it("refuses a budget that cannot tell players apart, and an empty background", () => {
    expect(() => kernelShap(pairwiseGame(30, 1), { evaluations: 100 })).toThrow(
      expect.objectContaining({ code: "EXPLAIN_BUDGET_TOO_SMALL" }),
    );
    const empty = { rows: 0, columns: [new Float64Array(0)] };
    expect(() => matrixGame(({ rows }) => new Float64Array(rows), 1, [1], empty)).toThrow(
      expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }),
    );
  });
});
