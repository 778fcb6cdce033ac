import { describe, expect, it } from "vitest";
import { readSettingsSearch } from "./address.ts";
import { auditQuery, detailsLine, expiryOf, garbageRows, type Token, tokenState } from "./prepare.ts";

const NOW = Date.parse("2026-01-10T00:00:00Z");
const token = (change: Partial<Token>): Token => ({
  id: "t",
  user: "anna",
  label: "",
  createdAt: "2026-01-01T00:00:00Z",
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  ...change,
});

describe("settings", () => {
  it("tell a token that is accepted from one that is not, and revoked before expired", () => {
    expect(tokenState(token({}), NOW)).toBe("valid");
    expect(tokenState(token({ expiresAt: "2026-01-10T00:00:01Z" }), NOW)).toBe("valid");
    expect(tokenState(token({ expiresAt: "2026-01-10T00:00:00Z" }), NOW)).toBe("expired");
    expect(tokenState(token({ expiresAt: "2026-01-02T00:00:00Z", revokedAt: "2026-01-01T12:00:00Z" }), NOW)).toBe("revoked");
  });

  it("give a token the end that was chosen", () => {
    expect(expiryOf("7", NOW)).toBe("2026-01-17T00:00:00.000Z");
    expect(expiryOf("never", NOW)).toBeNull();
  });

  it("list what would be removed, without what there is none of", () => {
    const none = { experiments: 0, loggedModels: 0, registeredModels: 0, modelVersions: 0, files: 0, bytes: 0 };
    expect(garbageRows({ ...none, runs: 3, artifacts: 2 })).toEqual([
      { what: "runs", count: 3 },
      { what: "stored artifacts that nothing names", count: 2 },
    ]);
  });

  it("say an entry's details in a line", () => {
    const entry = { id: "1", project: "*", at: "2026-01-01T00:00:00Z", actor: "user:anna", action: "users.add", target: "ben" };
    expect(detailsLine({ ...entry, details: { role: "viewer", count: 2 } })).toBe("role=viewer, count=2");
    expect(detailsLine({ ...entry, details: { expiresAt: NOW * 1_000, revokedAt: null } })).toBe(
      "expiresAt=2026-01-10 00:00 UTC, revokedAt=null",
    );
  });

  it("ask for the trail that the address says, and leave out what it cannot mean", () => {
    expect(auditQuery(readSettingsSearch({ actor: "anna", action: "", page: 4 }))).toEqual({ limit: 50, actor: "anna" });
    expect(readSettingsSearch({ cursor: "c", page: 2 })).toEqual({ cursor: "c", page: 2 });
  });
});
