import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";
import { timeAhead } from "../time-option.ts";

interface TokensOptions extends ConnectionOptions {
  json?: boolean;
  user?: string;
  label: string;
  expires?: string;
}

/** @throws CLI_ACTION_UNKNOWN, CLI_ARGUMENT_MISSING and what the API answers */
export default async function tokens(options: TokensOptions, action = "list", id?: string): Promise<void> {
  const { json, user, label, expires } = options;
  const whose = user === undefined ? {} : { user };
  const { client, close } = await connect(options);
  try {
    if (action === "list") {
      const { items } = await client.tokens.list(whose);
      return show(json, items, () =>
        table(
          items.map((token) => ({
            id: token.id,
            user: token.user,
            label: token.label,
            made: token.createdAt,
            "last used": token.lastUsedAt,
            expires: token.expiresAt,
            revoked: token.revokedAt,
          })),
        ),
      );
    }
    if (action === "create") {
      const expiresAt = expires === undefined ? null : timeAhead(expires);
      const made = await client.tokens.create({ ...whose, label, expiresAt });
      return show(json, made, () => `${made.secret}\n\nOf ${made.user}, id ${made.id}. It is not shown again.`);
    }
    if (action !== "revoke") throw cliErrors.CLI_ACTION_UNKNOWN(`tokens cannot "${action}"; it can list, create and revoke`);
    if (id === undefined) throw cliErrors.CLI_ARGUMENT_MISSING("tokens revoke needs a token's id");
    const revoked = await client.tokens.revoke({ id });
    show(json, revoked, () => `${revoked.id} of ${revoked.user} is accepted no more`);
  } finally {
    await close();
  }
}
