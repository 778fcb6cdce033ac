import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPostgres, testSchema } from "../../test/fixtures/postgres.ts";
import { systemClock } from "../core/ports/index.ts";
import { prepareStateFolder, statePaths } from "./state-folder.ts";
import { openStores, STORE_VARIABLES, storeSettings, useStores } from "./stores.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-stores-"));
const paths = statePaths(join(folder, "state"), { workspace: "default", project: "flights" });
prepareStateFolder(paths);
const { url, reason } = await findPostgres();

afterAll(() => rmSync(folder, { recursive: true }));

describe("where metadata and artifacts are kept", () => {
  const before = { ...process.env };
  beforeEach(() => {
    for (const name of Object.values(STORE_VARIABLES)) delete process.env[name];
  });
  afterEach(() => {
    process.env = { ...before };
  });

  it("the environment says, and what the command line said is passed on in it", () => {
    expect(storeSettings({})).toEqual({ database: null, artifacts: null, online: null });
    expect(storeSettings({ ORRERY_DATABASE_URL: "", ORRERY_ARTIFACTS_URL: "" })).toEqual({
      database: null,
      artifacts: null,
      online: null,
    });
    useStores({});
    expect(storeSettings()).toEqual({ database: null, artifacts: null, online: null });
    useStores({ database: "postgres://host/db", artifacts: "s3://bucket/prefix", online: "redis://host" });
    expect(storeSettings()).toEqual({
      database: "postgres://host/db",
      artifacts: "s3://bucket/prefix",
      online: "redis://host",
    });
    // Workers run elsewhere.
    useStores({ artifacts: "files" });
    expect(storeSettings().artifacts).toBe(join(process.cwd(), "files"));
  });

  it("without settings: SQLite and a folder, both in the state folder", async () => {
    const { store, artifacts, close } = await openStores(storeSettings({}), paths, systemClock);
    expect(store.engine).toBe("sqlite");
    const { sha256 } = await artifacts.put("bytes", "text/plain");
    expect(await artifacts.localPath(sha256)).toContain(paths.artifacts);
    await close();
  });

  it.each([join(folder, "plain"), pathToFileURL(join(folder, "with space")).href])(
    "artifacts in another folder: %s",
    async (place) => {
      const { artifacts, close } = await openStores({ database: null, artifacts: place }, paths, systemClock);
      const { sha256 } = await artifacts.put("bytes", "text/plain");
      expect(await artifacts.localPath(sha256)).toMatch(/plain|with space/);
      await close();
    },
  );

  it.each([
    [{ database: "mysql://root:hunter2@host/db", artifacts: null }, "STATE_ADDRESS_INVALID"],
    [{ database: null, artifacts: "ftp://root:hunter2@host/folder" }, "ARTIFACT_STORE_SETTING_INVALID"],
  ])("what is neither is refused without a word of its password", async (settings, code) => {
    const refused = await openStores(settings, paths, systemClock).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code });
    expect(JSON.stringify(refused)).not.toContain("hunter2");
  });

  it.skipIf(url === null)(`PostgreSQL by its address${url === null ? ` (${reason})` : ""}`, async () => {
    const schema = testSchema(url ?? "");
    const { store, close } = await openStores({ database: schema.url, artifacts: null }, paths, systemClock);
    try {
      expect(store.engine).toBe("postgres");
      const beside = await openStores({ database: schema.url, artifacts: null }, paths, systemClock, { readOnly: true });
      await expect(beside.store.db.deleteFrom("runs").execute()).rejects.toMatchObject({
        code: expect.stringMatching(/^STATE_/),
      });
      await beside.close();
    } finally {
      await close();
      await schema.drop();
    }
  });
});
