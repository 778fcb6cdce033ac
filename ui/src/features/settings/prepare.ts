import { ApiError, type Client } from "../../../../src/client/index.ts";
import { formatInstant } from "../../components/format.ts";
import type { SettingsSearch } from "./address.ts";

export type User = Awaited<ReturnType<Client["users"]["list"]>>["items"][number];
export type Token = Awaited<ReturnType<Client["tokens"]["list"]>>["items"][number];
export type AuditEntry = Awaited<ReturnType<Client["audit"]["list"]>>["items"][number];
export type Garbage = Awaited<ReturnType<Client["garbage"]["collect"]>>;

/** As the server's reference lists them, the least that one may first. */
export const ROLES = ["viewer", "data-engineer", "data-scientist", "software-engineer", "operator", "admin"] as const;

/** Stands for every project of the workspace. */
export const ALL_PROJECTS = "*";
export const projectLabel = (project: string): string => (project === ALL_PROJECTS ? "all projects" : project);

/** Whether the server said that this is not for whoever asked. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

export type TokenState = "valid" | "expired" | "revoked";
export function tokenState({ revokedAt, expiresAt }: Token, now: number): TokenState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && Date.parse(expiresAt) <= now ? "expired" : "valid";
}

/** How long a new token lives, in days; null: until it is revoked. */
export const LIFETIMES = [
  { value: "7", label: "7 days", days: 7 },
  { value: "90", label: "90 days", days: 90 },
  { value: "365", label: "a year", days: 365 },
  { value: "never", label: "until it is revoked", days: null },
] as const;

const DAY_MS = 86_400_000;
export function expiryOf(lifetime: string, now: number): string | null {
  const days = LIFETIMES.find(({ value }) => value === lifetime)?.days ?? null;
  return days === null ? null : new Date(now + days * DAY_MS).toISOString();
}
export const daysBefore = (days: number, now: number): string => new Date(now - days * DAY_MS).toISOString();

export interface GarbageRow {
  readonly what: string;
  readonly count: number;
}

/** What collecting would remove, without what there is none of. */
export const garbageRows = (garbage: Garbage): GarbageRow[] =>
  [
    { what: "experiments", count: garbage.experiments },
    { what: "runs", count: garbage.runs },
    { what: "logged models", count: garbage.loggedModels },
    { what: "registered models", count: garbage.registeredModels },
    { what: "model versions", count: garbage.modelVersions },
    { what: "files of runs", count: garbage.files },
    { what: "stored artifacts that nothing names", count: garbage.artifacts },
  ].filter(({ count }) => count > 0);

/** Rooms write instants down as they keep them: in microseconds. */
function detail(key: string, value: unknown): string {
  if (typeof value === "number" && key.endsWith("At")) return formatInstant(new Date(value / 1_000).toISOString());
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An entry's details in one line: "role=viewer, project=*". */
export const detailsLine = ({ details }: AuditEntry): string =>
  Object.entries(details)
    .map(([key, value]) => `${key}=${detail(key, value)}`)
    .join(", ");

export const AUDIT_PAGE = 50;
export const auditQuery = ({ actor, action, cursor }: SettingsSearch) => ({
  limit: AUDIT_PAGE,
  ...(actor !== undefined && { actor }),
  ...(action !== undefined && { action }),
  ...(cursor !== undefined && { cursor }),
});
