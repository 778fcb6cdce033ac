import { describe } from "vitest";
import { metadataStoreContract } from "../../../test/contracts/metadata-store.contract.ts";
import { findPostgres, testSchema } from "../../../test/fixtures/postgres.ts";
import { systemClock } from "../../core/ports/index.ts";
import { openPostgres } from "./postgres.ts";

const { url, reason } = await findPostgres();

describe.skipIf(url === null)(`on PostgreSQL ${reason}`, () => {
  const server = url ?? "";

  metadataStoreContract("PostgreSQL", async () => {
    const schema = testSchema(server);
    const open = () => openPostgres({ url: schema.url, clock: systemClock });
    const store = await open();
    return {
      store,
      another: open,
      cleanup: async () => {
        await store.close();
        await schema.drop();
      },
    };
  });
});
