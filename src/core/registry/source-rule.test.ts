import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkSource } from "./source-rule.ts";

const refused = (source: string) =>
  expect(() => checkSource(source)).toThrow(expect.objectContaining({ code: "REGISTRY_SOURCE_INVALID" }));

describe("a version's source", () => {
  test.each([
    "mlflow-artifacts:/models",
    "mlflow-artifacts:/models/",
    "mlflow-artifacts:/models///foo///bar",
    "mlflow-artifacts://host:9000/models/artifact/..../",
    "runs:/run_id/model",
    "models:/m-0123",
    "models:/name with spaces@alias",
    "s3://bucket/a%20b/model",
    "gs://bucket/model",
    "wasbs://container@account.blob.core.windows.net/model",
    "https://host/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/model",
    "dbfs:/databricks/mlflow-tracking/model",
    "path/to/source",
  ])("may be %s", (source) => expect(() => checkSource(source)).not.toThrow());

  test.each([
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file:etc/passwd",
    "/etc/passwd",
    "~/model",
    "C:\\model",
    "c:/model",
    "\\\\host\\share",
    "javascript:alert(1)",
    "data:text/html,x",
    "jar:file:/x",
  ])("is no file of a machine and no program: %s (CVE-2023-6909, CVE-2024-3573)", refused);

  test.each([
    "mlflow-artifacts:/../secret",
    "mlflow-artifacts://host:9000/models/../../../",
    "http://host:9000/models/../../../",
    "s3a://bucket/artifacts/../../../",
    "runs:/../../etc/passwd",
    "models:/../x",
    "a/../../b",
    "..",
    "mlflow-artifacts:/models\\..\\..\\x",
  ])("does not step upwards: %s (CVE-2023-6977)", refused);

  test.each([
    "mlflow-artifacts://host:9000/models/..%2f..%2fartifacts",
    "mlflow-artifacts:/models/%2e%2e/x",
    "mlflow-artifacts:/models/%252e%252e%252fx",
    "mlflow-artifacts:/models/%25252e%25252e/x",
    "mlflow-artifacts:/%zz/%2e%2e/x",
    "%66ile:///etc/passwd",
    "%2fetc/passwd",
  ])("does not step upwards behind percent signs, however often they are encoded: %s (CVE-2024-1558)", refused);

  test.each(["mlflow-artifacts:/a#/../x", "http:///#/../../etc/", "s3://bucket/a#b", "mlflow-artifacts:/a%23b"])(
    "has no fragment behind which something else stands: %s (CVE-2024-1483, CVE-2024-3848)",
    refused,
  );

  test.each([
    "s3://bucket/model?x=/../../etc",
    "dbfs:/run/a%3f/../../../x",
    "mlflow-artifacts:/a?../b",
    "mlflow-artifacts:/a;../b",
  ])("does not step upwards in a query: %s (CVE-2024-3848)", refused);

  test.each([
    "",
    "mlflow-artifacts:/a\0b",
    "mlflow-artifacts:/a%00b",
    "mlflow-artifacts:/a%0d%0ab",
    "s3://a\nb",
    `s3://${"x".repeat(2_050)}`,
    "s3://\ud800",
  ])("is text of some length without control characters: %j", refused);

  test("that has a step upwards in it is refused however the dots and slashes are encoded", () => {
    const steps = fc.tuple(
      fc.constantFrom("/", "\\", "%2f", "%5C"),
      fc.nat(3),
      fc.constantFrom("mlflow-artifacts:/a", "s3://bucket", "runs:/r", "x"),
    );
    fc.assert(
      fc.property(steps, ([slash, times, root]) => {
        let dots = "..";
        for (let i = 0; i < times; i++) dots = i === 0 ? "%2e%2E" : dots.replaceAll("%", "%25");
        refused(`${root}${slash}${dots}${slash}b`);
      }),
    );
  });
});
