import { LEAST_PROBABILITY } from "../../calibration/temperature.ts";
import type { Calibration, OneVsRestCalibration, SigmoidCalibration, TemperatureCalibration } from "../../model.ts";
import { MAX_LOG_ODDS } from "../../score-estimator.ts";
import { exportIsotonic } from "./export-estimator.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/** `applyCalibration` of probabilities, [N, 1] or [N, classes]. */
export function exportCalibration(graph: GraphBuilder, calibration: Calibration, probability: Value): Value {
  switch (calibration.kind) {
    case "isotonic":
      return exportIsotonic(graph, calibration, probability);
    case "sigmoid":
      return exportSigmoid(graph, calibration, probability);
    case "temperature":
      return exportTemperature(graph, calibration, probability);
    case "one-vs-rest":
      return exportOneVsRest(graph, calibration, probability);
  }
}

function exportSigmoid(graph: GraphBuilder, { slope, intercept }: SigmoidCalibration, probability: Value): Value {
  const odds = graph.over(probability, graph.minus(graph.number(1), probability));
  const capped = graph.add("Min", [graph.add("Log", [odds]), graph.number(MAX_LOG_ODDS)]);
  const logOdds = graph.add("Max", [capped, graph.number(-MAX_LOG_ODDS)]);
  const moved = graph.plus(graph.times(logOdds, graph.number(slope)), graph.number(intercept));
  return graph.add("Sigmoid", [moved]);
}

function exportTemperature(graph: GraphBuilder, { temperature }: TemperatureCalibration, probability: Value): Value {
  const log = graph.add("Log", [graph.add("Max", [probability, graph.number(LEAST_PROBABILITY)])]);
  return graph.add("Softmax", [graph.over(log, graph.number(temperature))], { axis: { type: "int", value: 1 } });
}

function exportOneVsRest(graph: GraphBuilder, { classes }: OneVsRestCalibration, probability: Value): Value {
  const calibrated = graph.beside(
    classes.map((map, k) => {
      const own = graph.add("Gather", [probability, graph.integers([k])], { axis: { type: "int", value: 1 } });
      return map === null ? own : exportCalibration(graph, map, own);
    }),
  );
  const sum = graph.add("ReduceSum", [calibrated, graph.integers([1])]);
  const alike = graph.number(1 / classes.length);
  return graph.where(graph.less(graph.number(0), sum), graph.over(calibrated, sum), alike);
}
