import { type Access, ALL_PROJECTS, type Token, type User } from "../../core/access/index.ts";
import { parseTimestamp } from "../../core/time.ts";
import { serverErrors } from "../errors.ts";
import type { Call, RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";

const userEntity = ({ name, createdAt, disabledAt, roles }: User) => ({
  name,
  createdAt: time(createdAt),
  disabledAt: optionalTime(disabledAt),
  roles: { ...roles },
});

const tokenEntity = ({ id, user, label, createdAt, expiresAt, lastUsedAt, revokedAt }: Token) => ({
  id,
  user,
  label,
  createdAt: time(createdAt),
  expiresAt: optionalTime(expiresAt),
  lastUsedAt: optionalTime(lastUsedAt),
  revokedAt: optionalTime(revokedAt),
});

/** Who administers one project says nothing about others. @throws SERVER_PERMISSION_MISSING */
function needAdministrator({ may }: Call, project: string): void {
  if (may("administer", project)) return;
  const where = project === ALL_PROJECTS ? "all projects" : project;
  throw serverErrors.SERVER_PERMISSION_MISSING(`Only an administrator of ${where} may do this`);
}

const isUser = ({ actor }: Call, name: string) => actor.kind === "user" && actor.name === name;

export function userHandlers({ users }: Access): RoomHandlers<"users"> {
  return {
    list: async () => ({ items: (await users.list()).map(userEntity) }),
    async add(user, call) {
      needAdministrator(call, user.project);
      return userEntity(await users.add({ ...user, by: call.actor }));
    },
    async grant(grant, call) {
      needAdministrator(call, grant.project);
      return userEntity(await users.grant({ ...grant, by: call.actor }));
    },
    async revoke(grant, call) {
      needAdministrator(call, grant.project);
      return userEntity(await users.revoke({ ...grant, by: call.actor }));
    },
    async disable({ name }, call) {
      needAdministrator(call, ALL_PROJECTS);
      return userEntity(await users.disable({ name, by: call.actor }));
    },
    async enable({ name }, call) {
      needAdministrator(call, ALL_PROJECTS);
      return userEntity(await users.enable({ name, by: call.actor }));
    },
  };
}

export function tokenHandlers({ tokens }: Access): RoomHandlers<"tokens"> {
  return {
    async list({ user }, call) {
      const own = call.actor.kind === "user" ? call.actor.name : undefined;
      const asked = user ?? (call.may("administer", ALL_PROJECTS) ? undefined : own);
      if (asked === undefined || !isUser(call, asked)) needAdministrator(call, ALL_PROJECTS);
      return { items: (await tokens.list(asked)).map(tokenEntity) };
    },
    async create({ user: named, label, expiresAt }, call) {
      const user = named ?? call.actor.name;
      if (!isUser(call, user)) needAdministrator(call, ALL_PROJECTS);
      const ends = expiresAt === null ? null : parseTimestamp(expiresAt);
      const { secret, ...token } = await tokens.create({ user, label, expiresAt: ends, by: call.actor });
      return { ...tokenEntity(token), secret };
    },
    async revoke({ id }, call) {
      const { user } = await tokens.find(id);
      if (!isUser(call, user)) needAdministrator(call, ALL_PROJECTS);
      return tokenEntity(await tokens.revoke({ id, by: call.actor }));
    },
  };
}

export function auditHandlers({ audit }: Access): RoomHandlers<"audit"> {
  return {
    async list({ since, actor, action, limit, cursor }, { scope, may }) {
      const found = await audit.list(may("administer", ALL_PROJECTS) ? { ...scope, project: ALL_PROJECTS } : scope, {
        limit,
        ...(since === undefined ? {} : { since: parseTimestamp(since) }),
        ...(actor === undefined ? {} : { actor }),
        ...(action === undefined ? {} : { action }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      return {
        items: found.items.map((entry) => ({ ...entry, at: time(entry.at), details: { ...entry.details } })),
        nextCursor: found.nextCursor,
      };
    },
  };
}
