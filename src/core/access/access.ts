import type { Clock, MetadataStore } from "../ports/index.ts";
import { MINUTE, type Micros, SECOND } from "../time.ts";
import { type AuditTrail, createAuditTrail } from "./audit.ts";
import type { Identity } from "./identity.ts";
import { isRole } from "./roles.ts";
import { createTokens, hashOf, type Tokens } from "./tokens.ts";
import { createUsers, type Users } from "./users.ts";

/** Users, tokens and roles of a workspace, and the trail of what they changed. */
export interface Access {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly audit: AuditTrail;
  /**
   * Whose token this is; null where it is nobody's, has ended, was revoked, or its user is disabled. At once where the answer is known,
   * which is the rule. A change made by another process on the same database counts after at most ten seconds, one of this process at once.
   * With `onlyKnown` the database is not asked.
   */
  identify(secret: string, onlyKnown?: boolean): Identity | null | Promise<Identity | null>;
  /** Whether there is any user, disabled ones among them. From then on nobody comes in without a token. */
  hasUsers(): boolean | Promise<boolean>;
  /** Writes down when tokens were used last. */
  close(): Promise<void>;
}

const KNOWN_FOR: Micros = 10 * SECOND;
const MOST_KNOWN = 10_000;
const USES_ARE_WRITTEN_EVERY: Micros = MINUTE;

export interface AccessOptions {
  readonly store: MetadataStore;
  /** The machine's: a token ends in real time, also while a replay is at another. */
  readonly clock: Clock;
  readonly workspace: string;
}

export function createAccess({ store, clock, workspace }: AccessOptions): Access {
  const known = new Map<string, { readonly identity: Identity; readonly until: Micros }>();
  let generation = 0;
  let users: { readonly any: boolean; readonly until: Micros } | null = null;
  const changed = () => {
    generation += 1;
    known.clear();
    users = null;
  };
  const rooms = { store, clock, workspace, changed };
  const uses = createUses(store, clock, workspace);

  async function look(secretHash: string): Promise<Identity | null> {
    const began = generation;
    const now = clock.now();
    const row = await store.db
      .selectFrom("tokens")
      .innerJoin("users", (join) =>
        join.onRef("users.workspace", "=", "tokens.workspace").onRef("users.name", "=", "tokens.user_name"),
      )
      .select(["tokens.id", "tokens.user_name", "tokens.expires_at", "tokens.revoked_at", "users.disabled_at"])
      .where("tokens.workspace", "=", workspace)
      .where("tokens.hash", "=", secretHash)
      .executeTakeFirst();
    if (row === undefined || row.revoked_at !== null || row.disabled_at !== null) return null;
    if (row.expires_at !== null && row.expires_at <= now) return null;
    const granted = await store.db
      .selectFrom("role_grants")
      .select(["project", "role"])
      .where("workspace", "=", workspace)
      .where("user_name", "=", row.user_name)
      .execute();
    const grants = new Map(granted.flatMap(({ project, role }) => (isRole(role) ? [[project, role] as const] : [])));
    const identity: Identity = { actor: { kind: "user", name: row.user_name }, tokenId: row.id, grants };
    // What changed while we looked would be forgotten by keeping what we saw.
    if (began === generation) {
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(secretHash, { identity, until: Math.min(now + KNOWN_FOR, row.expires_at ?? Number.POSITIVE_INFINITY) });
    }
    uses.note(row.id, now);
    return identity;
  }

  async function countUsers(): Promise<boolean> {
    const began = generation;
    const found = await store.db
      .selectFrom("users")
      .select("name")
      .where("workspace", "=", workspace)
      .limit(1)
      .executeTakeFirst();
    const any = found !== undefined;
    if (began === generation) users = { any, until: any ? Number.POSITIVE_INFINITY : clock.now() + KNOWN_FOR };
    return any;
  }

  return {
    users: createUsers(rooms),
    tokens: createTokens(rooms),
    audit: createAuditTrail(store, clock),
    identify(secret, onlyKnown = false) {
      const secretHash = hashOf(secret);
      const found = known.get(secretHash);
      const now = clock.now();
      if (found === undefined || found.until <= now) return onlyKnown ? null : look(secretHash);
      if (found.identity.tokenId !== null) uses.note(found.identity.tokenId, now);
      return found.identity;
    },
    hasUsers: () => (users !== null && users.until > clock.now() ? users.any : countUsers()),
    close: () => uses.close(),
  };
}

/** When tokens were used: kept in memory, written once a minute, so that no request waits for it. */
function createUses(store: MetadataStore, clock: Clock, workspace: string) {
  const noted = new Map<string, Micros>();
  let timer: NodeJS.Timeout | null = null;
  let written = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    timer = null;
    written = clock.now();
    const batch = [...noted];
    noted.clear();
    if (batch.length === 0) return;
    await store.transaction(async (db) => {
      for (const [id, at] of batch)
        await db
          .updateTable("tokens")
          .set({ last_used_at: at })
          .where("workspace", "=", workspace)
          .where("id", "=", id)
          .execute();
    });
  }

  return {
    note(id: string, at: Micros) {
      noted.set(id, at);
      if (timer !== null) return;
      const wait = Math.max(SECOND, written + USES_ARE_WRITTEN_EVERY - at) / 1_000;
      timer = setTimeout(() => {
        // A figure for people: where it cannot be written now, the next use writes it.
        writing = write().catch(() => undefined);
      }, wait).unref();
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await writing;
      await write();
    },
  };
}
