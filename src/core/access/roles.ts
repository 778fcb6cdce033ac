import { PERMISSIONS, type Permission } from "../../contract/permissions.ts";

export const ROLES = ["viewer", "data-engineer", "data-scientist", "software-engineer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * What each role may do; the test beside this file spells the table. Who trains a model does not put it before customers alone: promoting is the
 * operator's.
 */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ["read"],
  "data-engineer": ["read", "track", "run"],
  "data-scientist": ["read", "track", "register", "run", "predict"],
  "software-engineer": ["read", "track", "run", "predict"],
  operator: ["read", "register", "promote", "run", "predict"],
  admin: PERMISSIONS,
};

export const isRole = (text: string): text is Role => ROLES.some((role) => role === text);
