import { describe, expect, it } from "vitest";
import { PERMISSIONS } from "../../contract/permissions.ts";
import { ALL_PROJECTS, administrator, type Identity, may, ROLE_PERMISSIONS, ROLES, rolesIn } from "./index.ts";

const TABLE = `
                   read  track  register  promote  run  predict  administer
viewer             yes   -      -         -        -    -        -
data-engineer      yes   yes    -         -        yes  -        -
data-scientist     yes   yes    yes       -        yes  yes      -
software-engineer  yes   yes    -         -        yes  yes      -
operator           yes   -      yes       yes      yes  yes      -
admin              yes   yes    yes       yes      yes  yes      yes
`;

describe("roles", () => {
  it("may do what the table says, and nothing else", () => {
    const [head = [], ...rows] = TABLE.trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
    expect(head).toEqual([...PERMISSIONS]);
    expect(rows.map(([role]) => role)).toEqual([...ROLES]);
    const allowed = Object.fromEntries(rows.map(([role = "", ...cells]) => [role, head.filter((_, i) => cells[i] === "yes")]));
    expect(ROLE_PERMISSIONS).toEqual(allowed);
  });

  const anna: Identity = {
    actor: { kind: "user", name: "anna" },
    tokenId: "token-1",
    grants: new Map([
      ["late", "operator"],
      [ALL_PROJECTS, "viewer"],
    ]),
  };

  it("count in the project they were granted in, beside the one granted everywhere", () => {
    expect(rolesIn(anna, "late")).toEqual(["operator", "viewer"]);
    expect(rolesIn(anna, "other")).toEqual(["viewer"]);
    expect([may(anna, "promote", "late"), may(anna, "promote", "other"), may(anna, "read", "other")]).toEqual([
      true,
      false,
      true,
    ]);
    expect(may(anna, "promote", ALL_PROJECTS)).toBe(false);
  });

  it("are none at all for who was granted none", () => {
    const nobody: Identity = { ...anna, grants: new Map() };
    expect(PERMISSIONS.filter((permission) => may(nobody, permission, "late"))).toEqual([]);
    expect(PERMISSIONS.filter((permission) => !may(administrator(anna.actor), permission, "late"))).toEqual([]);
  });
});
