/** Nodes and weights of a rule for integrals over 0 … 1. */
export interface Quadrature {
  readonly nodes: Float64Array;
  /** Sum to 1. */
  readonly weights: Float64Array;
}

const rules = new Map<number, Quadrature>();

/**
 * Gauss-Legendre rule: exact for polynomials up to degree 2 x points - 1. Nodes are the roots of the Legendre polynomial, by Newton's
 * method from Tricomi's estimate (Press et al., "Numerical Recipes", 3rd ed., section 4.6.1).
 */
export function gaussLegendre(points: number): Quadrature {
  let rule = rules.get(points);
  if (rule === undefined) {
    rule = makeRule(points);
    rules.set(points, rule);
  }
  return rule;
}

function makeRule(points: number): Quadrature {
  const nodes = new Float64Array(points);
  const weights = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (points + 0.5));
    let slope = 0;
    // Converges quadratically: far more steps than double precision needs.
    for (let step = 0; step < 10; step++) {
      const legendre = legendreAt(points, x);
      slope = legendre.slope;
      x -= legendre.value / slope;
    }
    nodes[i] = (1 - x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

function legendreAt(degree: number, x: number): { value: number; slope: number } {
  let before = 0;
  let value = 1;
  for (let n = 1; n <= degree; n++) {
    const next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
    before = value;
    value = next;
  }
  return { value, slope: (degree * (x * value - before)) / (x * x - 1) };
}
