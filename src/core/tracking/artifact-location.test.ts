import { describe, expect, test } from "vitest";
import { artifactPath, checkArtifactLocation } from "./artifact-location.ts";

describe("an artifact location that a client gives", () => {
  test("may be a path of the server's own tree", () => {
    expect(checkArtifactLocation("mlflow-artifacts:/team/late")).toBe("mlflow-artifacts:/team/late");
    expect(checkArtifactLocation("mlflow-artifacts:/team/late//")).toBe("mlflow-artifacts:/team/late");
  });

  test("may be in a store that clients reach themselves", () => {
    for (const location of [
      "s3://bucket",
      "s3://bucket/a/b",
      "gs://bucket/naïve",
      "abfss://container@account.dfs.core.windows.net/a",
      "hdfs://host/a",
      "dbfs:/a/b",
    ])
      expect(checkArtifactLocation(location)).toBe(location);
  });

  const refused: Record<string, readonly string[]> = {
    "a local path": ["/etc", "etc/passwd", "./a", "~/a", "C:\\a", "C:/a", "\\\\host\\share", "a"],
    "a file URI": ["file:///etc", "file:/etc", "FILE:///etc", "file:a"],
    "another path after decoding": [
      "mlflow-artifacts:/a/../b",
      "mlflow-artifacts:/%2e%2e/b",
      "mlflow-artifacts:/%252e%252e/b",
      "mlflow-artifacts:/a/%2E./b",
      "s3://bucket/..%2f..",
      "mlflow-artifacts:/a%5cb",
      "mlflow-artifacts:/a%00b",
      "mlflow-artifacts:/a%",
      "mlflow-artifacts:/%ff",
    ],
    "a query, fragment or parameter": [
      "mlflow-artifacts:/a?x=../b",
      "mlflow-artifacts:/a#/../b",
      "mlflow-artifacts:/a;x=1",
      "s3://bucket/a%3fx",
      "s3://bucket/a%23x",
    ],
    "an address for requests of others": [
      "http://169.254.169.254/latest",
      "https://example.org/a",
      "ftp://host/a",
      "sftp://host/a",
      "mlflow-artifacts://host/a",
      "mlflow-artifacts://host:80/a",
      "mlflow-artifacts:///a",
      "runs:/r/a",
      "models:/m/1",
      "javascript:alert(1)",
      "s3://user:secret@bucket/a",
    ],
    "no path at all": [
      "mlflow-artifacts:/",
      "mlflow-artifacts:",
      "mlflow-artifacts:a",
      "s3:",
      "s3://",
      "s3:///a",
      "s3:/bucket",
      "",
      ":",
      "//a",
    ],
    "white space or control characters": [
      "s3://bucket/a b",
      "s3://bucket/a\n",
      " s3://bucket",
      "s3://bucket/\u0085",
      "s3://bucket/a%0ab",
    ],
    "an empty part": ["mlflow-artifacts:/a//b", "s3://bucket//a"],
    "more than can be stored": [`s3://bucket/${"a".repeat(2_048)}`],
  };
  for (const [what, locations] of Object.entries(refused))
    test(`is never ${what}`, () => {
      for (const location of locations) {
        let code: unknown = "accepted";
        try {
          checkArtifactLocation(location);
        } catch (error) {
          code = error instanceof Error && "code" in error ? error.code : error;
        }
        expect(code, JSON.stringify(location)).toBe("TRACKING_LOCATION_INVALID");
      }
    });
});

test("only the server's own URIs are paths of its tree", () => {
  expect(artifactPath("mlflow-artifacts:/1/r/artifacts")).toBe("1/r/artifacts");
  for (const uri of ["s3://bucket/1", "mlflow-artifacts", "file:/1", "/1"]) expect(artifactPath(uri)).toBeNull();
});
