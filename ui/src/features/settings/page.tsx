import { useQuery } from "@tanstack/react-query";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { PageHead } from "../../components/page.tsx";
import { useClient } from "../../session.tsx";
import { isForbidden } from "./prepare.ts";
import { Tokens } from "./tokens.tsx";
import { Trail } from "./trail.tsx";
import { Trash } from "./trash.tsx";
import { Users } from "./users.tsx";

/** Everybody has tokens; users, trail and trash are drawn for those to whom the server tells of users. */
export function SettingsPage() {
  const client = useClient();
  const users = useQuery({ queryKey: ["users"], queryFn: () => client.users.list() });
  return (
    <>
      <PageHead title="Settings" about="Who may do what here, with which tokens, and what they changed." />
      {isForbidden(users.error) ? (
        <>
          <Tokens users={null} />
          <Empty title="Users, the trail and the trash are an administrator's" />
        </>
      ) : (
        <Loaded query={users}>
          {({ items }) => (
            <>
              <Users users={items} />
              <Tokens users={items} />
              <Trail />
              <Trash />
            </>
          )}
        </Loaded>
      )}
    </>
  );
}
