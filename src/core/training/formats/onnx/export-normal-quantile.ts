import { CENTRE_ABOVE, CENTRE_BELOW, FAR_ABOVE, FAR_BELOW, TAIL_ABOVE, TAIL_BELOW } from "../../preparation/normal-quantile.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/**
 * Inverse of the standard normal distribution's cumulative function, by the formulas of normal-quantile.ts: all three stretches are
 * computed and the right one is kept. ONNX has no such operator.
 *
 * @param probability doubles [N, 1], within 0 … 1
 */
export function exportNormalQuantile(graph: GraphBuilder, probability: Value): Value {
  const constant = (value: number) => graph.number(value);
  const fromMiddle = graph.minus(probability, constant(0.5));
  const middle = exportRatio(
    graph,
    CENTRE_ABOVE,
    CENTRE_BELOW,
    graph.minus(constant(0.180625), graph.times(fromMiddle, fromMiddle)),
  );
  const inCentre = graph.add("LessOrEqual", [graph.add("Abs", [fromMiddle]), constant(0.425)]);

  const isLow = graph.less(fromMiddle, constant(0));
  const tail = graph.where(isLow, probability, graph.minus(constant(1), probability));
  const distance = graph.add("Sqrt", [graph.add("Neg", [graph.add("Log", [tail])])]);
  const near = exportRatio(graph, TAIL_ABOVE, TAIL_BELOW, graph.minus(distance, constant(1.6)));
  const far = exportRatio(graph, FAR_ABOVE, FAR_BELOW, graph.minus(distance, constant(5)));
  const isNear = graph.add("LessOrEqual", [distance, constant(5)]);
  // No probability above 0 is farther than this; at 0 itself the formula's infinities would make NaN.
  const size = graph.where(graph.add("IsInf", [distance]), constant(Number.POSITIVE_INFINITY), graph.where(isNear, near, far));
  const outside = graph.where(isLow, graph.add("Neg", [size]), size);
  return graph.where(inCentre, graph.times(fromMiddle, middle), outside);
}

function exportRatio(graph: GraphBuilder, above: readonly number[], below: readonly number[], x: Value): Value {
  return graph.over(exportPolynomial(graph, above, x), exportPolynomial(graph, below, x));
}

/** Coefficients from the highest power down. */
function exportPolynomial(graph: GraphBuilder, [first, ...rest]: readonly number[], x: Value): Value {
  return rest.reduce((sum, coefficient) => graph.plus(graph.times(sum, x), graph.number(coefficient)), graph.number(first));
}
