import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { startTrackingProcess, type TrackingProcess } from "../fixtures/tracking-process.ts";
import { buildUi, findChromium, HOW_TO_INSTALL, openBrowser, openContext, watchTrouble } from "./browser.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

const chromium = findChromium();
if (chromium === null) console.warn(HOW_TO_INSTALL);

/** Where pictures go, for a person to look at; none are taken when it is not set. */
const pictures = process.env.ORRERY_SCREENSHOTS;
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

interface Where {
  readonly url: string;
}

let browser: Browser;
let context: BrowserContext;

/** A page of its own, with its trouble. */
async function visit(where: Where, path: string, look: (page: Page) => Promise<void>, how = context) {
  const page = await how.newPage();
  const trouble = watchTrouble(page);
  await page.goto(`${where.url}${path}`);
  await look(page);
  await page.close();
  return trouble;
}
const picture = async (page: Page, name: string) => {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `models-${name}.png`), fullPage: true });
};
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const read = (page: Page, text: string) => page.getByText(text).first().waitFor();
const fits = async (page: Page) =>
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
const enter = async (page: Page, token: string) => {
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Enter" }).click();
};

describe.skipIf(chromium === null)("models and settings in a browser", () => {
  beforeAll(async () => {
    buildUi();
    browser = await openBrowser(chromium ?? "");
    context = await openContext(browser, "light");
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
  });

  /** Versions as other tools register them: no package, no report, no gate. */
  describe("on `orrery server`", { timeout: 60_000 }, () => {
    let folder: string;
    let server: TrackingProcess;
    let guarded: TrackingProcess;
    let client: Client;
    let keeper: Client;

    async function fill() {
      for (let index = 0; index < 55; index++)
        await client.models.create({ name: `filler ${String(index).padStart(2, "0")}`, tags: { team: "other" } });
      await client.models.create({ name: "churn", description: "Who leaves", tags: { team: "core" } });
      const { id: experimentId } = await client.experiments.create({ name: "churn" });
      for (const [index, depth] of ["3", "5"].entries()) {
        const { id } = await client.runs.create({ experimentId, name: `fit ${index}` });
        await client.runs.logBatch({
          id,
          params: [{ key: "depth", value: depth }],
          metrics: [{ key: "auc", value: 0.75 + index / 8 }],
        });
        await client.models.createVersion({ name: "churn", source: `runs:/${id}/model`, runId: id });
      }
      await client.models.setAlias({ name: "churn", alias: "candidate", version: 2, reason: "looks better" });
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "orrery-ui-models-"));
      [server, guarded] = await Promise.all([
        startTrackingProcess(join(folder, "open")),
        startTrackingProcess(join(folder, "guarded"), [], { ORRERY_TOKEN: "open-sesame" }),
      ]);
      client = createClient({ baseUrl: server.url, workspace: "default", project: "default" });
      keeper = createClient({ baseUrl: guarded.url, workspace: "default", project: "default", token: "open-sesame" });
      await fill();
    }, 60_000);
    afterAll(async () => {
      await Promise.all([server?.stop(), guarded?.stop()]);
      rmSync(folder, { recursive: true, force: true });
    });

    it("pages the list of models, and searches it in the filter language", async () => {
      const trouble = await visit(server, "/models", async (page) => {
        await read(page, "1 to 50");
        await page.getByRole("button", { name: "Next" }).click();
        await read(page, "51 to 56");
        const box = page.getByLabel("Filter");
        await box.fill("tags.team = 'core'");
        await box.press("Enter");
        await page.getByRole("link", { name: "filler 54" }).waitFor({ state: "detached" });
        await expect.poll(() => page.locator("tbody th").allInnerTexts()).toEqual(["churn"]);
        await fits(page);
        await picture(page, "list");
      });
      expect(trouble).toEqual([]);
    });

    it("shows what is wrong with a filter under the place", async () => {
      await visit(server, "/models", async (page) => {
        await page.getByLabel("Filter").fill("name = 7");
        await page.getByRole("button", { name: "Search" }).click();
        await page.locator(".filter-fault").waitFor();
        const [text = "", carets = ""] = (await page.locator(".filter-fault").innerText()).split("\n");
        expect(text.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("7");
      });
    });

    it("says what there is of a version that another tool trained, and what is not", async () => {
      const trouble = await visit(server, "/models/churn?tab=card", async (page) => {
        await heading(page, "churn");
        await read(page, "Another tool trained this version");
        await page.getByRole("tab", { name: "Versions" }).click();
        await read(page, "runs:/");
        await read(page, "looks better");
      });
      expect(trouble).toEqual([]);
    });

    it("describes, tags and stages a version, and points an alias at it with a reason", async () => {
      const trouble = await visit(server, "/models/churn?version=1", async (page) => {
        await page.getByLabel("Description").fill("the first");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByRole("cell", { name: "the first" }).waitFor();
        await page.getByLabel("New tag", { exact: true }).fill("checked");
        await page.getByLabel("Value of the new tag").fill("yes");
        await page.getByRole("button", { name: "Add" }).click();
        await read(page, "checked = yes");
        await page.getByRole("combobox", { name: "Stage" }).click();
        await page.getByRole("option", { name: "Staging" }).click();
        await page.getByRole("cell", { name: "Staging" }).waitFor();
        await page.getByLabel("New alias").fill("baseline");
        await page.getByRole("button", { name: "Set", exact: true }).click();
        await page.getByLabel("Reason").fill("to compare with");
        await page.getByRole("button", { name: "Point baseline at version 1" }).click();
        await page.getByRole("cell", { name: "to compare with" }).waitFor();
        await fits(page);
        await picture(page, "versions");
      });
      expect(trouble).toEqual([]);
      const version = await client.models.version({ name: "churn", version: 1 });
      expect(version).toMatchObject({
        description: "the first",
        stage: "Staging",
        aliases: ["baseline"],
        tags: { checked: "yes" },
      });
    });

    it("tells how one version differs from another", async () => {
      const trouble = await visit(server, "/models/churn?version=2&tab=compare", async (page) => {
        await read(page, "Version 2 against version 1");
        const row = (name: string) => page.locator("tr", { has: page.getByRole("rowheader", { name, exact: true }) });
        await row("depth").waitFor();
        await expect.poll(() => row("depth").locator("td").allInnerTexts()).toEqual(["3", "5"]);
        await expect.poll(() => row("auc").locator("td").allInnerTexts()).toEqual(["0.750", "0.875", "+0.125"]);
        await fits(page);
        await picture(page, "compare");
      });
      expect(trouble).toEqual([]);
    });

    it("deletes a model after it has asked, and its name brings it back", async () => {
      const trouble = await visit(server, "/models/filler 07", async (page) => {
        await read(page, "No versions yet");
        await page.getByRole("button", { name: "Delete" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await heading(page, "Models");
        await page.getByRole("link", { name: "filler 07" }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Restore a deleted model" }).click();
        await page.getByLabel("Name of the deleted model").fill("filler 07");
        await page.getByRole("button", { name: "Restore", exact: true }).click();
        await heading(page, "filler 07");
      });
      expect(trouble).toEqual([]);
    });

    it("offers the pages that there is something on, and says of the others in a sentence what they need", async () => {
      const trouble = await visit(server, "/monitoring", async (page) => {
        await read(page, "This page needs a project file");
        const pages = page.getByRole("navigation", { name: "Pages", exact: true });
        await expect.poll(() => pages.getByRole("link").allInnerTexts()).toEqual(["Experiments", "Runs", "Models", "Settings"]);
        expect(await page.getByRole("navigation", { name: "The loop" }).count()).toBe(0);
        await picture(page, "no-project");
      });
      expect(trouble).toEqual([]);
    });

    it("goes to another project, whose pages show nothing of the first", async () => {
      const other = createClient({ baseUrl: server.url, workspace: "default", project: "other" });
      await other.models.create({ name: "elsewhere" });
      const trouble = await visit(server, "/models", async (page) => {
        await page.getByLabel("Project").fill("other");
        await page.getByRole("button", { name: "Go there" }).click();
        await page.getByRole("link", { name: "elsewhere" }).click();
        await heading(page, "elsewhere");
        await page.waitForURL("**/projects/other/models/elsewhere");
        await page.getByRole("link", { name: "Models" }).first().click();
        await expect.poll(() => page.locator("tbody th").allInnerTexts()).toEqual(["elsewhere"]);
      });
      expect(trouble).toEqual([]);
    });

    it("makes a token whose secret is shown once, lets its owner in, and revokes it", async () => {
      let secret = "";
      const trouble = await visit(guarded, "/settings", async (page) => {
        await enter(page, "open-sesame");
        await read(page, "No users yet");
        await page.getByLabel("User", { exact: true }).fill("anna");
        await page.getByRole("button", { name: "Add the user" }).click();
        await page.getByRole("rowheader", { name: "anna" }).waitFor();
        await page.getByRole("combobox", { name: "For" }).click();
        await page.getByRole("option", { name: "anna" }).click();
        await page.getByLabel("Label").fill("laptop");
        await page.getByRole("button", { name: "Make a token" }).click();
        secret = await page.locator(".token-secret").innerText();
        await page.getByRole("cell", { name: "tokens.create" }).waitFor();
        await fits(page);
        await picture(page, "settings");
        await page.getByRole("button", { name: "I have it" }).click();
        await page.locator(".token-secret").waitFor({ state: "detached" });
        expect(await page.content()).not.toContain(secret);
      });
      // The server's first word is that it wants a token.
      expect(trouble.filter((each) => !each.includes("401"))).toEqual([]);
      const annas = createClient({ baseUrl: guarded.url, workspace: "default", project: "default", token: secret });
      expect((await annas.tokens.list({})).items.map(({ label, user }) => [label, user])).toEqual([["laptop", "anna"]]);
      const fresh = await openContext(browser, "light");
      await visit(
        guarded,
        "/settings",
        async (page) => {
          await enter(page, secret);
          await read(page, "Users, the trail and the trash are an administrator's");
          await page.getByRole("button", { name: "Revoke laptop" }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
          await page.getByLabel("Access token").waitFor();
        },
        fresh,
      );
      await fresh.close();
      await expect(annas.tokens.list({})).rejects.toMatchObject({ status: 401 });
    });

    it("filters the trail and counts the trash without removing any of it", async () => {
      await keeper.models.create({ name: "gone" });
      await keeper.models.delete({ name: "gone" });
      await visit(guarded, "/settings", async (page) => {
        await enter(page, "open-sesame");
        await page.getByLabel("Change", { exact: true }).fill("models.delete");
        await page.getByRole("button", { name: "Filter" }).click();
        const trail = page.getByRole("region", { name: "Audit trail" }).last();
        await trail.getByRole("cell", { name: "models.create" }).waitFor({ state: "detached" });
        expect(await trail.locator("tbody tr").count()).toBe(1);
        await page.getByRole("combobox", { name: "Deleted" }).click();
        await page.getByRole("option", { name: "until now" }).click();
        await page.getByRole("button", { name: "Count" }).click();
        await page.getByRole("rowheader", { name: "registered models" }).waitFor();
      });
      expect((await keeper.models.restore({ name: "gone" })).name).toBe("gone");
    });
  });

  /** A project whose gate asks for people, trained and served. */
  describe("on `orrery up`", { timeout: 180_000 }, () => {
    let root: string;
    let running: Up;
    const client = () => createClient({ baseUrl: running.url, workspace: "default", project: "churn" });

    beforeAll(async () => {
      mkdirSync(TEMPORARY, { recursive: true });
      root = await mkdtemp(join(TEMPORARY, "test-ui-models-"));
      const project = join(root, "churn");
      expect((await orrery(["init", project])).code).toBe(0);
      const file = join(project, "orrery.config.ts");
      const asking = readFileSync(file, "utf8")
        .replace("import {\n", "import {\n  approval,\n")
        .replace("accept: [", 'accept: [\n    approval({ by: "operator" }),');
      writeFileSync(file, asking);
      running = await up(project);
      expect(await orrery(["-p", project, "train", "churn"])).toMatchObject({ code: 0 });
    }, 180_000);
    afterAll(async () => {
      await running?.stop();
      rmSync(root, { recursive: true, force: true });
    });

    it("draws where a version comes from: source, snapshot, run, version", async () => {
      const trouble = await visit(running, "/models/churn?tab=lineage", async (page) => {
        const drawn = page.locator("svg.lineage-picture");
        await drawn.waitFor();
        const { run, data } = await client().models.lineage({ name: "churn", version: 1 });
        expect(data.length).toBeGreaterThan(0);
        const said = await drawn.textContent();
        for (const { source } of data) expect(said).toContain(source);
        expect(said).toContain("churn 1");
        await fits(page);
        await picture(page, "lineage");
        await drawn.locator(`a[href="/runs/${run?.id}"]`).focus();
        await page.keyboard.press("Enter");
        await heading(page, run?.name ?? "");
      });
      expect(trouble).toEqual([]);
    });

    it("takes an approval with its reason, which promotes the version that waited for it", async () => {
      const trouble = await visit(running, "/models/churn?tab=gates", async (page) => {
        await page.getByRole("button", { name: "Decline" }).click();
        await page.getByLabel("Reason").fill("no budget");
        await page.getByRole("button", { name: "Decline version 1" }).click();
        await page.getByRole("cell", { name: "no budget" }).waitFor();
        await page.getByRole("button", { name: "Approve" }).click();
        await page.getByLabel("Reason").fill("budget found");
        await page.getByRole("button", { name: "Approve version 1" }).click();
        await page.getByRole("cell", { name: "budget found" }).waitFor();
        await picture(page, "approved");
        await page.getByRole("tab", { name: "Versions" }).click();
        await page.getByRole("cell", { name: "promoted" }).waitFor();
        await fits(page);
        await picture(page, "promoted");
      });
      expect(trouble).toEqual([]);
      expect((await client().models.get({ name: "churn" })).aliases).toMatchObject({ champion: 1 });
    });

    it("can be read in dark colours", async () => {
      const dark = await openContext(browser, "dark");
      for (const [name, path] of [
        ["lineage", "/models/churn?tab=lineage"],
        ["versions", "/models/churn"],
        ["settings", "/settings"],
      ] as const) {
        const trouble = await visit(
          running,
          path,
          async (page) => {
            await page.waitForLoadState("networkidle");
            await fits(page);
            expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("dark");
            await picture(page, `dark-${name}`);
          },
          dark,
        );
        expect(trouble).toEqual([]);
      }
      await dark.close();
    });
  });
});
