import { type ConnectionOptions, connect } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";

interface UsersOptions extends ConnectionOptions {
  json?: boolean;
  role?: string;
  in: string;
}

interface User {
  readonly name: string;
  readonly createdAt: string;
  readonly disabledAt: string | null;
  readonly roles: Readonly<Record<string, string>>;
}

const rolesText = (roles: User["roles"]): string =>
  Object.entries(roles)
    .map(([project, role]) => (project === "*" ? role : `${role} in ${project}`))
    .join(", ") || "none";

const row = ({ name, roles, createdAt, disabledAt }: User) => ({
  name,
  roles: rolesText(roles),
  since: createdAt,
  disabled: disabledAt,
});

/** @throws CLI_ACTION_UNKNOWN, CLI_ARGUMENT_MISSING and what the API answers */
export default async function users(options: UsersOptions, action = "list", name?: string): Promise<void> {
  const { json, role, in: project } = options;
  const needs = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw cliErrors.CLI_ARGUMENT_MISSING(`users ${action} needs ${what}`);
    return value;
  };
  const named = () => needs(name, "a user's name");
  const { client, close } = await connect({ ...options, makesState: action === "add" });
  const asked: Record<string, () => Promise<User>> = {
    add: () => client.users.add({ name: named(), role: needs(role, "--role"), project }),
    grant: () => client.users.grant({ name: named(), role: needs(role, "--role"), project }),
    revoke: () => client.users.revoke({ name: named(), project }),
    disable: () => client.users.disable({ name: named() }),
    enable: () => client.users.enable({ name: named() }),
  };
  try {
    if (action === "list") {
      const { items } = await client.users.list();
      return show(json, items, () => table(items.map(row)));
    }
    const work = Object.hasOwn(asked, action) ? asked[action] : undefined;
    if (work === undefined)
      throw cliErrors.CLI_ACTION_UNKNOWN(`users cannot "${action}"; it can list, ${Object.keys(asked).join(", ")}`);
    const user = await work();
    show(json, user, () => table([row(user)]));
  } finally {
    await close();
  }
}
