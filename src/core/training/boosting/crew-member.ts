import { workerData } from "node:worker_threads";
import { serveInCrew } from "./crew.ts";

serveInCrew(workerData);
