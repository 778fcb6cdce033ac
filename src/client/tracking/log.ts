import { theRun } from "./current-run.ts";
import type { RunLog } from "./run-log.ts";

// The run's own functions, on the run that the calling code runs in. Each throws TRACKER_NO_RUN where there is none.
export const logParam = (...args: Parameters<RunLog["logParam"]>): void => theRun().logParam(...args);
export const logParams = (...args: Parameters<RunLog["logParams"]>): void => theRun().logParams(...args);
export const logMetric = (...args: Parameters<RunLog["logMetric"]>): void => theRun().logMetric(...args);
export const logMetrics = (...args: Parameters<RunLog["logMetrics"]>): void => theRun().logMetrics(...args);
export const setTag = (...args: Parameters<RunLog["setTag"]>): void => theRun().setTag(...args);
export const setTags = (...args: Parameters<RunLog["setTags"]>): void => theRun().setTags(...args);
export const logDataset = (...args: Parameters<RunLog["logDataset"]>): void => theRun().logDataset(...args);
export const logArtifact: RunLog["logArtifact"] = async (...args) => theRun().logArtifact(...args);
export const logFolder: RunLog["logFolder"] = async (...args) => theRun().logFolder(...args);
export const logText: RunLog["logText"] = async (...args) => theRun().logText(...args);
export const logJson: RunLog["logJson"] = async (...args) => theRun().logJson(...args);
