import type { Permission } from "../../contract/permissions.ts";
import type { Actor } from "../scope.ts";
import { ROLE_PERMISSIONS, type Role } from "./roles.ts";

/** In place of a project's name: every project of the workspace. */
export const ALL_PROJECTS = "*";

/** Who asks, and what they have been granted. */
export interface Identity {
  readonly actor: Actor;
  /** The token that was shown; null where none was. */
  readonly tokenId: string | null;
  /** Role by project; ALL_PROJECTS for the whole workspace. */
  readonly grants: ReadonlyMap<string, Role>;
}

/** An identity that may do everything: whoever owns the machine, or its token. */
export const administrator = (actor: Actor): Identity => ({ actor, tokenId: null, grants: new Map([[ALL_PROJECTS, "admin"]]) });

/** The roles that count in a project: the one granted there and the one granted everywhere. */
export function rolesIn({ grants }: Identity, project: string): readonly Role[] {
  return [grants.get(project), grants.get(ALL_PROJECTS)].filter((role) => role !== undefined);
}

/** Whether an identity may do something in a project; ALL_PROJECTS asks for the right in all of them. */
export const may = (identity: Identity, permission: Permission, project: string): boolean =>
  rolesIn(identity, project).some((role) => ROLE_PERMISSIONS[role].includes(permission));
