import { type ParameterValues, type SearchSpace, search, separateSearch } from "../../definitions/index.ts";

export interface Objective {
  readonly space: SearchSpace;
  value(params: ParameterValues): number;
}

const spaceOf = (params: Readonly<Record<string, unknown>>): SearchSpace => separateSearch(params).space;
const at = (params: ParameterValues, name: string): number => Number(params[name]);

const ALPHA = [1, 1.2, 3, 3.2];
const A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const P = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

/** Functions to minimize, the same as in test/golden/make-search.py. */
export const OBJECTIVES: Readonly<Record<"branin" | "hartmann6" | "mixed", Objective>> = {
  /** Least value 0.397887. */
  branin: {
    space: spaceOf({ x: search.float(-5, 10), y: search.float(0, 15) }),
    value: (params) => {
      const x = at(params, "x");
      const y = at(params, "y");
      const valley = y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6;
      return valley ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
    },
  },
  /** Least value -3.32237. */
  hartmann6: {
    space: spaceOf(Object.fromEntries(P[0].map((_, index) => [`x${index}`, search.float(0, 1)]))),
    value: (params) => {
      const term = (row: number) =>
        ALPHA[row] * Math.exp(-A[row].reduce((sum, a, column) => sum + a * (at(params, `x${column}`) - P[row][column]) ** 2, 0));
      return -[0, 1, 2, 3].reduce((sum, row) => sum + term(row), 0);
    },
  },
  /** Three branches with parameters of their own; least value -1, in branch b. */
  mixed: {
    space: spaceOf({
      kind: search.choice(["a", "b", "c"]),
      rate: search.log(1e-4, 1),
      depth: search.when({ kind: "a" }, search.int(1, 12)),
      shape: search.when({ kind: "b" }, search.choice(["round", "square"])),
      width: search.when({ kind: "b" }, search.float(0, 4)),
      leaves: search.when({ kind: "c" }, search.logInt(2, 256)),
    }),
    value: (params) => {
      const base = (Math.log10(at(params, "rate")) + 2.5) ** 2;
      if (params.kind === "a") return base + (at(params, "depth") - 7) ** 2 / 10;
      if (params.kind === "b") return base - 1 + (at(params, "width") - 3) ** 2 + (params.shape === "square" ? 0 : 0.5);
      return base + Math.abs(at(params, "leaves") - 31) / 31;
    },
  },
};
