import { z } from "zod";

/** What POST /training-sets is told beside the entity rows, which are its body. */
export const trainingSetQuery = z
  .object({
    features: z.string().min(1).optional().describe("Ids of features, with commas between them: view.feature, on-demand.name"),
    service: z.string().min(1).optional().describe("A feature service, instead of features"),
    at: z.string().min(1).default("at").describe("The column that says when each row is asked about"),
    asOf: z.iso.datetime({ offset: true }).optional().describe("Only what was known by then counts; now unless given"),
  })
  .refine(({ features, service }) => (features === undefined) !== (service === undefined), {
    message: "takes either features or service",
    path: ["features"],
  });

/** Media types of tables, by what they are called in a request. */
export const TABLE_TYPES = {
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.stream",
  json: "application/json",
} as const;
