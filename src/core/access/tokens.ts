import { hash, randomBytes } from "node:crypto";
import type { Actor } from "../scope.ts";
import type { Micros } from "../time.ts";
import { sortableId } from "../tracking/index.ts";
import { recordAudit } from "./audit.ts";
import { accessErrors } from "./errors.ts";
import { ALL_PROJECTS } from "./identity.ts";
import type { AccessRooms } from "./users.ts";

/** What is known of a token: never the token itself. */
export interface Token {
  readonly id: string;
  readonly user: string;
  readonly label: string;
  readonly createdAt: Micros;
  readonly expiresAt: Micros | null;
  /** To the minute. */
  readonly lastUsedAt: Micros | null;
  readonly revokedAt: Micros | null;
}

export interface Tokens {
  /** Newest first; of one user or of all. */
  list(user?: string): Promise<readonly Token[]>;
  /** The secret is in this answer and nowhere else. @throws ACCESS_USER_UNKNOWN, ACCESS_USER_DISABLED, ACCESS_EXPIRY_INVALID */
  create(token: {
    user: string;
    label?: string;
    expiresAt?: Micros | null;
    by: Actor;
  }): Promise<Token & { readonly secret: string }>;
  /** @throws ACCESS_TOKEN_UNKNOWN */
  find(id: string): Promise<Token>;
  /** From now on it is not accepted; revoking it again changes nothing. @throws ACCESS_TOKEN_UNKNOWN */
  revoke(token: { id: string; by: Actor }): Promise<Token>;
}

const SECRET_BYTES = 32;
export const TOKEN_PREFIX = "orrery_";

/** A new secret: 256 random bits behind a prefix by which scanners of code and logs know it. */
export const newSecret = (): string => `${TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;

/**
 * What is kept of a secret. No salt and no slow hash: 256 random bits cannot be guessed, and the hash is looked up on every request. An index
 * finds it, so that the time it takes says nothing of how much of a wrong one was right.
 */
export const hashOf = (secret: string): string => hash("sha256", secret);

export function createTokens({ store, clock, workspace, changed }: AccessRooms): Tokens {
  const select = () =>
    store.db
      .selectFrom("tokens")
      .select(["id", "user_name", "label", "created_at", "expires_at", "last_used_at", "revoked_at"])
      .where("workspace", "=", workspace);

  type Row = Awaited<ReturnType<ReturnType<typeof select>["execute"]>>[number];
  const tokenOf = (row: Row): Token => ({
    id: row.id,
    user: row.user_name,
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  });

  async function find(id: string): Promise<Token> {
    const row = await select().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw accessErrors.ACCESS_TOKEN_UNKNOWN(`There is no token ${JSON.stringify(id.slice(0, 120))}`);
    return tokenOf(row);
  }

  return {
    async list(user) {
      let query = select().orderBy("id", "desc");
      if (user !== undefined) query = query.where("user_name", "=", user);
      return (await query.execute()).map(tokenOf);
    },
    async create({ user, label = "", expiresAt = null, by }) {
      const now = clock.now();
      if (expiresAt !== null && !(expiresAt > now))
        throw accessErrors.ACCESS_EXPIRY_INVALID("The token would have ended already");
      const id = sortableId("token", clock);
      const secret = newSecret();
      await store.transaction(async (db) => {
        const found = await db
          .selectFrom("users")
          .select("disabled_at")
          .where("workspace", "=", workspace)
          .where("name", "=", user)
          .executeTakeFirst();
        if (found === undefined) throw accessErrors.ACCESS_USER_UNKNOWN(`There is no user ${JSON.stringify(user.slice(0, 120))}`);
        if (found.disabled_at !== null) throw accessErrors.ACCESS_USER_DISABLED(`The user ${user} is disabled`);
        await db
          .insertInto("tokens")
          .values({
            workspace,
            id,
            user_name: user,
            label,
            hash: hashOf(secret),
            created_at: now,
            expires_at: expiresAt,
            last_used_at: null,
            revoked_at: null,
          })
          .execute();
        const details = { user, label, expiresAt };
        await recordAudit(db, { workspace, project: ALL_PROJECTS }, clock, {
          actor: by,
          action: "tokens.create",
          target: id,
          details,
        });
      });
      changed();
      return { id, user, label, createdAt: now, expiresAt, lastUsedAt: null, revokedAt: null, secret };
    },
    find,
    async revoke({ id, by }) {
      const { user, revokedAt } = await find(id);
      if (revokedAt === null) {
        await store.transaction(async (db) => {
          await db
            .updateTable("tokens")
            .set({ revoked_at: clock.now() })
            .where("workspace", "=", workspace)
            .where("id", "=", id)
            .execute();
          const change = { actor: by, action: "tokens.revoke", target: id, details: { user } };
          await recordAudit(db, { workspace, project: ALL_PROJECTS }, clock, change);
        });
        changed();
      }
      return find(id);
    },
  };
}
