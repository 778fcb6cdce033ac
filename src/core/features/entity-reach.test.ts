import { describe, expect, test } from "vitest";
import type { FeatureReference, ModelDefinition } from "../definitions/index.ts";
import { entity, featureView, float64, int64, labels, source, string } from "../definitions/index.ts";
import { entityReach, projectEntities } from "./entity-reach.ts";

const customer = entity("customer", { customer_id: string() });
const customers = source.csv("customers", {
  path: "c.csv",
  key: ["customer_id"],
  columns: { customer_id: string(), plan: string(), referred_by: string().oneOf("customers.customer_id") },
});
const info = featureView("info", { entity: customer, source: customers, features: ["plan"] });
const transfers = source.csv("transfers", {
  path: "t.csv",
  eventTime: "at",
  columns: { sender: string(), receiver: string(), amount: float64() },
});
const letters = source.csv("letters", {
  path: "l.csv",
  columns: { to: string().oneOf("customers.customer_id"), text: string() },
});
const replies = source.csv("replies", { path: "r.csv", columns: { of: string().oneOf("letters.to") } });
const shops = source.csv("shops", { path: "s.csv", columns: { shop: string(), customer_id: int64() } });
const named = source.joined("named", {
  base: transfers,
  features: [info.as("receiver_info", { customer_id: "receiver" }).feature.plan],
});
const model = (features: readonly FeatureReference[]) =>
  ({ labels: labels(transfers, { large: "amount > 5", at: "at" }), features }) as unknown as ModelDefinition;
const project = {
  sources: [replies, letters, customers, transfers, shops, named],
  features: [info.definition],
  services: [],
  models: [model([info.as("sender_info", { customer_id: "sender" }).feature.plan])],
};

describe("the rows of an entity", () => {
  const reach = entityReach(project, customer);

  test("are in sources with its key columns, and where it is asked for by other names", () => {
    expect(reach.sources.get("customers")).toEqual([{ customer_id: "customer_id" }]);
    expect(reach.sources.get("transfers")).toEqual([{ customer_id: "sender" }, { customer_id: "receiver" }]);
    expect(reach.sources.get("named")).toEqual([{ customer_id: "receiver" }]);
  });

  test("are where contracts refer to its rows, also by way of others", () => {
    expect(reach.sources.get("letters")).toEqual([{ customer_id: "to" }]);
    expect(reach.sources.get("replies")).toEqual([{ customer_id: "of" }]);
  });

  test("are not those of somebody else that name it, nor those with a column of another type", () => {
    expect(reach.mentions).toEqual([{ source: "customers", columns: { customer_id: "referred_by" } }]);
    expect(reach.sources.has("shops")).toBe(false);
  });
});

test("entities are those that views describe", () => {
  expect([...projectEntities(project).keys()]).toEqual(["customer"]);
});
