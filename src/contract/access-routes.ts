import { z } from "zod";
import { timestamp } from "./entities.ts";

export const user = z.object({
  name: z.string(),
  createdAt: timestamp,
  disabledAt: timestamp.nullable(),
  /** Role by project; "*" for all of the workspace. */
  roles: z.record(z.string(), z.string()),
});

export const token = z.object({
  id: z.string(),
  user: z.string(),
  label: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  /** To the minute. */
  lastUsedAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
});

export const auditEntry = z.object({
  id: z.string(),
  project: z.string(),
  at: timestamp,
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  details: z.record(z.string(), z.unknown()),
});

const text = z.string().max(300);
const byName = z.object({ name: text });
const role = z.object({ role: text, project: text.default("*") });

/** Users and roles are the workspace's; who administers one project may give roles in it. The rooms write the trail themselves. */
export const userRoutes = {
  list: {
    method: "GET",
    path: "/users",
    permission: "administer",
    summary: "Users and their roles",
    response: z.object({ items: z.array(user) }),
  },
  add: {
    method: "POST",
    path: "/users",
    permission: "administer",
    audited: false,
    summary: "Add a user with a role",
    body: role.extend({ name: text }),
    response: user,
  },
  grant: {
    method: "POST",
    path: "/users/:name/grant",
    permission: "administer",
    audited: false,
    summary: "Give a user a role in a project, or in all of them, in place of the one there",
    params: byName,
    body: role,
    response: user,
  },
  revoke: {
    method: "POST",
    path: "/users/:name/revoke",
    permission: "administer",
    audited: false,
    summary: "Take a user's role in a project, or in all of them",
    params: byName,
    body: role.pick({ project: true }),
    response: user,
  },
  disable: {
    method: "POST",
    path: "/users/:name/disable",
    permission: "administer",
    audited: false,
    summary: "Accept none of a user's tokens any more",
    params: byName,
    response: user,
  },
  enable: {
    method: "POST",
    path: "/users/:name/enable",
    permission: "administer",
    audited: false,
    summary: "Accept a disabled user's tokens again",
    params: byName,
    response: user,
  },
} as const;

/** Everybody has tokens of their own; those of others are an administrator's. */
export const tokenRoutes = {
  list: {
    method: "GET",
    path: "/tokens",
    permission: "read",
    summary: "Tokens, newest first: one's own, or those of everybody for an administrator",
    query: z.object({ user: text.optional() }),
    response: z.object({ items: z.array(token) }),
  },
  create: {
    method: "POST",
    path: "/tokens",
    permission: "read",
    audited: false,
    summary: "Make a token; its secret is in this answer and nowhere else",
    body: z.object({
      /** Oneself when absent. */
      user: text.optional(),
      label: text.default(""),
      expiresAt: timestamp.nullable().default(null),
    }),
    response: token.extend({ secret: z.string() }),
  },
  revoke: {
    method: "POST",
    path: "/tokens/:id/revoke",
    permission: "read",
    audited: false,
    summary: "Accept a token no more",
    params: z.object({ id: text }),
    response: token,
  },
} as const;

export const auditRoutes = {
  list: {
    method: "GET",
    path: "/audit",
    permission: "administer",
    summary:
      "Who changed what, newest first: of the project and the workspace, or of all projects for the workspace's administrator",
    query: z.object({
      since: timestamp.optional(),
      /** A user's name, or an actor as entries have it: "user:anna", "token:machine". */
      actor: text.optional(),
      action: text.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
      cursor: text.optional(),
    }),
    response: z.object({ items: z.array(auditEntry), nextCursor: z.string().nullable() }),
  },
} as const;
