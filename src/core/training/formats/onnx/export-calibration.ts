import { LEAST_PROBABILITY } from "../../calibration/temperature.ts";
import type {
  Calibration,
  IsotonicCalibration,
  OneVsRestCalibration,
  SigmoidCalibration,
  TemperatureCalibration,
} from "../../model.ts";
import { MAX_LOG_ODDS } from "../../score-estimator.ts";
import { exportLookup } from "./export-preparation.ts";
import { exportRank } from "./export-trees.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/**
 * Calibrated probabilities: the formulas of `applyCalibration`.
 * @param probability doubles [N, 1], or [N, classes] for the calibrations of several classes
 */
export function exportCalibration(graph: GraphBuilder, calibration: Calibration, probability: Value): Value {
  switch (calibration.kind) {
    case "isotonic":
      return exportInterpolation(graph, calibration, probability);
    case "sigmoid":
      return exportOnLogOdds(graph, calibration, probability);
    case "temperature":
      return exportSharpening(graph, calibration, probability);
    case "one-vs-rest":
      return exportClasses(graph, calibration, probability);
  }
}

/** Linear between the points, constant outside. */
function exportInterpolation(graph: GraphBuilder, { x, y }: IsotonicCalibration, probability: Value): Value {
  const last = x.length - 1;
  const passed = exportRank(graph, probability, x.subarray(1, last));
  const next = graph.plus(passed, graph.number(1));
  const [startX, startY] = [x, y].map((points) => pointAt(graph, points, passed));
  const [endX, endY] = [x, y].map((points) => pointAt(graph, points, next));
  const rise = graph.times(graph.minus(endY, startY), graph.minus(probability, startX));
  const between = graph.plus(startY, graph.over(rise, graph.minus(endX, startX)));
  const fromBelow = graph.where(graph.add("LessOrEqual", [probability, graph.number(x[0])]), graph.number(y[0]), between);
  return graph.where(graph.add("LessOrEqual", [graph.number(x[last]), probability]), graph.number(y[last]), fromBelow);
}

const pointAt = (graph: GraphBuilder, points: Float64Array, rank: Value): Value =>
  exportLookup(graph, graph.matrix(points, points.length, 1), rank);

/** 1 / (1 + e^-x), written out because the runtime's own Sigmoid rounds otherwise. */
export function exportSigmoid(graph: GraphBuilder, x: Value): Value {
  const one = graph.number(1);
  return graph.over(one, graph.plus(one, graph.add("Exp", [graph.add("Neg", [x])])));
}

function exportOnLogOdds(graph: GraphBuilder, { slope, intercept }: SigmoidCalibration, probability: Value): Value {
  const odds = graph.over(probability, graph.minus(graph.number(1), probability));
  const within = graph.add("Max", [graph.add("Log", [odds]), graph.number(-MAX_LOG_ODDS)]);
  const logOdds = graph.add("Min", [within, graph.number(MAX_LOG_ODDS)]);
  return exportSigmoid(graph, graph.plus(graph.times(graph.number(slope), logOdds), graph.number(intercept)));
}

function exportSharpening(graph: GraphBuilder, { temperature }: TemperatureCalibration, probability: Value): Value {
  const logs = graph.add("Log", [graph.add("Max", [probability, graph.number(LEAST_PROBABILITY)])]);
  return graph.add("Softmax", [graph.over(logs, graph.number(temperature))]);
}

function exportClasses(graph: GraphBuilder, { classes }: OneVsRestCalibration, probability: Value): Value {
  const calibrated = classes.map((map, k) => {
    const own = graph.add("Gather", [probability, graph.integers([k])], { axis: { type: "int", value: 1 } });
    return map === null ? own : exportCalibration(graph, map, own);
  });
  const sum = calibrated.reduce((total, each) => graph.plus(total, each));
  const shares = graph.over(graph.beside(calibrated), sum);
  return graph.where(graph.less(graph.number(0), sum), shares, graph.number(1 / classes.length));
}
