export { type Access, type AccessOptions, createAccess } from "./access.ts";
export { type AuditEntry, type AuditQuery, type AuditTrail, type Change, createAuditTrail, recordAudit } from "./audit.ts";
export { accessErrors } from "./errors.ts";
export { ALL_PROJECTS, administrator, type Identity, may, rolesIn } from "./identity.ts";
export { isRole, ROLE_PERMISSIONS, ROLES, type Role } from "./roles.ts";
export { hashOf, newSecret, TOKEN_PREFIX, type Token, type Tokens } from "./tokens.ts";
export type { User, Users } from "./users.ts";
