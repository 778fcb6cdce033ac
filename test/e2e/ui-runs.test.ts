import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { startTrackingProcess, type TrackingProcess } from "../fixtures/tracking-process.ts";
import { buildUi, findChromium, HOW_TO_INSTALL, openBrowser, openContext, watchTrouble } from "./browser.ts";

const chromium = findChromium();
if (chromium === null) console.warn(HOW_TO_INSTALL);

/** Where pictures go, for a person to look at; none are taken when it is not set. */
const pictures = process.env.ORRERY_SCREENSHOTS;
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

const FORESTS = 120;
const LONG = 30_000;
const PAGE = `<h1 id="title">Report</h1><p>as it was written</p>
<script>document.getElementById("title").textContent = "It ran"; fetch("/api/v1/context");</script>
<img src="/api/v1/context" alt="">`;
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** `orrery server`, filled by its own client, looked at in a browser: no project file, so that whatever needs one is missing. */
describe.skipIf(chromium === null)("experiments and runs in a browser", { timeout: 60_000 }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let folder: string;
  let server: TrackingProcess;
  let guarded: TrackingProcess;
  let client: Client;
  /** Of the server that wants tokens, with its administrator's. */
  let keeper: Client;
  let churn: string;
  const forests: string[] = [];
  let long: string;

  const put = (id: string, path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
    fetch(`${server.url}/api/v1/default/default/runs/${id}/artifacts/${path}`, {
      method: "PUT",
      headers: { "content-type": type },
      body,
    });

  async function fill() {
    for (let index = 0; index < 30; index++) await client.experiments.create({ name: `sweep ${index}` });
    churn = (await client.experiments.create({ name: "churn" })).id;
    for (let index = 0; index < FORESTS; index++) {
      const { id } = await client.runs.create({ experimentId: churn, name: `forest ${index}`, startedAt: 1e15 + index * 1e6 });
      forests.push(id);
      await client.runs.logBatch({
        id,
        metrics: [
          { key: "auc", value: index / FORESTS },
          ...[0, 1, 2].map((step) => ({ key: "loss", value: 1 / (step + 1), step })),
        ],
        params: [
          { key: "depth", value: String(index % 7) },
          { key: "rate", value: index % 2 === 0 ? "0.01" : "0.1" },
        ],
        tags: [{ key: "team", value: "core" }],
      });
      await client.runs.update({ id, status: index === 5 ? "failed" : "finished" });
    }
    const first = forests[0] ?? "";
    await client.runs.create({ experimentId: churn, name: "fold", parentRunId: first, startedAt: 1e15 - 1e6 });
    await put(first, "report/page.html", PAGE, "text/html");
    await put(first, "config.json", '{"depth":[3]}', "application/json");
    await put(first, "plots/pixel.png", Uint8Array.from(Buffer.from(PIXEL, "base64")), "image/png");
    long = (await client.runs.create({ experimentId: churn, name: "long", startedAt: 2e15 })).id;
    for (let from = 0; from < LONG; from += 1_000)
      await client.runs.logBatch({
        id: long,
        metrics: Array.from({ length: 1_000 }, (_, offset) => ({
          key: "reward",
          value: from + offset === 12_345 ? 40 : Math.sin((from + offset) / 2_000),
          step: from + offset,
        })),
      });
  }

  beforeAll(async () => {
    buildUi();
    folder = await mkdtemp(join(tmpdir(), "orrery-ui-runs-"));
    [server, guarded, browser] = await Promise.all([
      startTrackingProcess(join(folder, "open")),
      startTrackingProcess(join(folder, "guarded"), [], { ORRERY_TOKEN: "open-sesame" }),
      openBrowser(chromium ?? ""),
    ]);
    context = await openContext(browser, "light");
    client = createClient({ baseUrl: server.url, workspace: "default", project: "default" });
    keeper = createClient({ baseUrl: guarded.url, workspace: "default", project: "default", token: "open-sesame" });
    await fill();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.stop(), guarded?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page of its own, with its trouble: of answers once, by their address. The loop is no run's page's: this server has none to tell of. */
  async function visit(path: string, look: (page: Page) => Promise<void>, where = server, how = context) {
    const page = await how.newPage();
    const trouble = watchTrouble(page);
    await page.goto(`${where.url}${path}`);
    await look(page);
    const seen = trouble.filter((each) => !each.includes("/loop") && !each.startsWith("console error: Failed to load resource"));
    await page.close();
    return seen;
  }
  const picture = async (page: Page, name: string) => {
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `runs-${name}.png`), fullPage: true });
  };
  const search = (choices: Readonly<Record<string, unknown>>) =>
    `?${new URLSearchParams(Object.entries(choices).map(([name, value]): [string, string] => [name, JSON.stringify(value)]))}`;
  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const read = (page: Page, text: string) => page.getByText(text).first().waitFor();
  const names = (page: Page) => page.locator("table.runs tbody th a").allInnerTexts();
  const first = (page: Page, name: string) =>
    page.locator("table.runs tbody tr:first-child th", { has: page.getByRole("link", { name, exact: true }) }).waitFor();
  const fits = async (page: Page) =>
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);

  it("pages by what the server's cursor says, in both directions, by the browser's way back and by a link", async () => {
    const trouble = await visit(`/runs${search({ experiment: churn, filter: "params.depth IS NOT NULL" })}`, async (page) => {
      await read(page, "1 to 50");
      expect((await names(page)).slice(0, 2)).toEqual(["forest 119", "forest 118"]);
      await page.getByRole("button", { name: "Next" }).click();
      await read(page, "51 to 100");
      expect((await names(page))[0]).toBe("forest 69");
      await page.getByRole("button", { name: "Next" }).click();
      await read(page, "101 to 120");
      expect(await page.getByRole("button", { name: "Next" }).isDisabled()).toBe(true);
      await page.getByRole("button", { name: "Previous" }).click();
      await read(page, "51 to 100");
      await page.goBack();
      await read(page, "101 to 120");
      const link = page.url();
      await page.goto("about:blank");
      await page.goto(link);
      await read(page, "101 to 120");
      expect((await names(page)).at(-1)).toBe("forest 0");
      await fits(page);
    });
    expect(trouble).toEqual([]);
  });

  it("asks for one page of a list, not for every run of it", async () => {
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (/\/(runs|experiments)/.test(request.url()) && request.url().includes("/api/")) asked.push(request.url());
    });
    await page.goto(`${server.url}/runs`);
    await read(page, "1 to 50");
    await page.waitForLoadState("networkidle");
    // The runs, and the experiments that can be chosen.
    expect(asked).toHaveLength(2);
    await page.close();
  });

  it("sorts by a metric and by a param, and says so in the address", async () => {
    const trouble = await visit(`/runs${search({ experiment: churn, filter: "" })}`, async (page) => {
      await page.getByRole("button", { name: "auc" }).click();
      await page.locator("th[aria-sort=descending]", { hasText: "auc" }).waitFor();
      await first(page, "forest 119");
      expect(new URL(page.url()).searchParams.get("sort")).toBe("metrics.auc");
      await page.getByRole("button", { name: "auc" }).click();
      await first(page, "forest 0");
      await page.getByRole("button", { name: "depth" }).click();
      await page.locator("th[aria-sort=ascending]", { hasText: "depth" }).waitFor();
      await page.locator("table.runs tbody tr:first-child td.value", { hasText: /^0$/ }).waitFor();
      await picture(page, "sorted");
    });
    expect(trouble).toEqual([]);
  });

  it("shows what is wrong with a filter under the place, and the runs again when it is right", async () => {
    await visit("/runs", async (page) => {
      const box = page.getByLabel("Filter");
      await box.fill("metrics.auc > 'x' AND params.rate = '0.1'");
      await box.press("Enter");
      await read(page, 'column 15: expected a number after ">"');
      const [text = "", carets = ""] = (await page.locator(".filter-fault").innerText()).split("\n");
      expect(text).toBe("metrics.auc > 'x' AND params.rate = '0.1'");
      expect(text.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("'x'");
      await picture(page, "fault");
      await box.fill("metrics.auc > 0.9 AND params.rate = '0.1'");
      await page.getByRole("button", { name: "Search" }).click();
      await read(page, "forest 119");
      expect(await names(page)).toEqual(["forest 119", "forest 117", "forest 115", "forest 113", "forest 111", "forest 109"]);
    });
  });

  it("finds an experiment by a part of its name, and chooses columns from what its runs have", async () => {
    const trouble = await visit("/runs", async (page) => {
      await page.getByRole("combobox", { name: "Experiment" }).fill("hurn");
      await page.getByRole("option", { name: "churn" }).click();
      await read(page, "1 to 50");
      expect(JSON.parse(new URL(page.url()).searchParams.get("experiment") ?? "null")).toBe(churn);
      await page.getByRole("combobox", { name: "Columns" }).fill("tea");
      await page.getByRole("option", { name: "team" }).click();
      await page.getByRole("button", { name: "team" }).waitFor();
      await read(page, "core");
    });
    expect(trouble).toEqual([]);
  });

  it("deletes what is selected after it has asked, and brings it back from the deleted ones", async () => {
    const trouble = await visit(`/runs${search({ experiment: churn, filter: "status = 'failed'" })}`, async (page) => {
      await page.getByRole("checkbox", { name: "Compare forest 5" }).check();
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await read(page, "No runs");
      await page.getByText("Deleted", { exact: true }).click();
      await page.getByRole("checkbox", { name: "Compare forest 5" }).check();
      await page.getByRole("button", { name: "Restore" }).click();
      await read(page, "No runs");
      await page.getByText("Active", { exact: true }).click();
      await page.getByRole("checkbox", { name: "Compare forest 5" }).waitFor();
    });
    expect(trouble).toEqual([]);
  });

  it("compares selected runs: params that differ marked, a line a run across axes, curves over one another", async () => {
    const trouble = await visit(`/runs${search({ experiment: churn, filter: "params.depth IS NOT NULL" })}`, async (page) => {
      for (const name of ["forest 119", "forest 118", "forest 117"])
        await page.getByRole("checkbox", { name: `Compare ${name}` }).check();
      await page.getByRole("button", { name: "Compare 3 runs" }).click();
      await heading(page, "Runs side by side");
      const differing = page.locator("tr", { has: page.locator("td.differs") });
      expect(await differing.locator("th").allTextContents()).toEqual(["auc (differs)", "depth (differs)", "rate (differs)"]);
      expect(await page.locator("svg.parallel a").count()).toBe(3);
      await page.locator("svg.parallel a").first().focus();
      await read(page, "forest 119. depth: 0, rate: 0.1, auc: 0.9917");
      await page.getByRole("combobox", { name: "Metric", exact: true }).click();
      await page.getByRole("option", { name: "loss" }).click();
      const lines = page.getByRole("img", { name: "loss of each run" }).locator("[aria-label=line] path");
      await lines.first().waitFor();
      expect(await lines.count()).toBe(3);
      await fits(page);
      await picture(page, "compare");
    });
    expect(trouble).toEqual([]);
  });

  it("draws 30,000 values of a metric without losing the one that stands out", async () => {
    const trouble = await visit(`/runs/${long}`, async (page) => {
      await read(page, "30,000 values");
      const chart = page.getByRole("img", { name: "reward of this run" });
      await chart.locator("svg").waitFor();
      const line = (await chart.locator("[aria-label=line] path").getAttribute("d")) ?? "";
      expect(line.split("L").length).toBeLessThanOrEqual(1_200);
      expect(await chart.locator("circle").count()).toBe(0);
      // 40 is on the axis only if the spike is.
      expect(await chart.locator("text").allTextContents()).toContain("40");
      await page.getByText("Time since the start").click();
      await chart.getByText("seconds since the start").waitFor();
      await picture(page, "long");
    });
    expect(trouble).toEqual([]);
  });

  it("shows a run's files: JSON with indents, a picture, and takes one along", async () => {
    const trouble = await visit(`/runs/${forests[0]}`, async (page) => {
      await page.getByRole("link", { name: "fold" }).waitFor();
      await page.getByRole("link", { name: "config.json" }).click();
      await page.locator(".artifact-text").waitFor();
      expect(await page.locator(".artifact-text").innerText()).toBe('{\n  "depth": [\n    3\n  ]\n}');
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download" }).click(),
      ]);
      expect([download.suggestedFilename(), await readFile(await download.path(), "utf8")]).toEqual([
        "config.json",
        '{"depth":[3]}',
      ]);
      await page.getByRole("link", { name: "plots/" }).click();
      await page.getByRole("link", { name: "pixel.png" }).click();
      const image = page.getByRole("img", { name: "pixel.png" });
      await image.waitFor();
      expect(await image.evaluate((shown) => shown.getAttribute("src")?.slice(0, 22))).toBe("data:image/png;base64,");
      expect(new URL(page.url()).searchParams.get("artifact")).toBe("plots/pixel.png");
      await fits(page);
    });
    expect(trouble).toEqual([]);
  });

  it("shows an HTML file in a sandbox where nothing of it runs or loads", async () => {
    const trouble = await visit(`/runs/${forests[0]}${search({ artifact: "report/page.html" })}`, async (page) => {
      const frame = page.locator("iframe.artifact-page");
      expect(await frame.getAttribute("sandbox")).toBe("");
      await frame.contentFrame().getByText("as it was written").waitFor();
      expect(await frame.contentFrame().locator("h1").innerText()).toBe("Report");
      await frame.scrollIntoViewIfNeeded();
      await picture(page, "html");
    });
    // The browser's own words that it kept the script from running and the picture from loading, and nothing else.
    expect(trouble.map((each) => /Blocked script execution|Content Security Policy|csp/.test(each))).toEqual(
      trouble.map(() => true),
    );
    expect(trouble.some((each) => each.includes("Blocked script execution in 'about:srcdoc'"))).toBe(true);
  });

  it("changes the tags of a run", async () => {
    const trouble = await visit(`/runs/${forests[1]}`, async (page) => {
      await page.getByLabel("New tag", { exact: true }).fill("stage");
      await page.getByLabel("Value of the new tag").fill("trial");
      await page.getByRole("button", { name: "Add" }).click();
      await page.getByRole("button", { name: "Change stage" }).click();
      await page.getByLabel("Value of stage").fill("done");
      await page.getByRole("button", { name: "Save" }).click();
      await read(page, "done");
      await page.getByRole("button", { name: "Remove team" }).click();
      await page.getByRole("button", { name: "Remove team" }).waitFor({ state: "detached" });
    });
    expect(trouble).toEqual([]);
    expect((await client.runs.get({ id: forests[1] ?? "" })).tags).toMatchObject({ stage: "done" });
  });

  it("follows the links that MLflow's clients print", async () => {
    const trouble = await visit(`/#/experiments/${churn}/runs/${forests[3]}`, async (page) => {
      await heading(page, "forest 3");
      expect(new URL(page.url()).hash).toBe("");
      await page.evaluate(`location.hash = "#/experiments/${churn}"`);
      await heading(page, "Runs");
      await read(page, "1 to 50");
      expect(JSON.parse(new URL(page.url()).searchParams.get("experiment") ?? "null")).toBe(churn);
    });
    expect(trouble).toEqual([]);
  });

  it("finds, deletes and restores experiments", async () => {
    const trouble = await visit("/experiments", async (page) => {
      await page.getByLabel("Name").fill("sweep 2");
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("link", { name: "sweep 12" }).waitFor({ state: "detached" });
      expect(await page.locator("tbody th").count()).toBe(11);
      await page.getByRole("button", { name: "Delete sweep 21" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByRole("link", { name: "sweep 21" }).waitFor({ state: "detached" });
      await page.getByText("Deleted", { exact: true }).click();
      await page.getByRole("button", { name: "Restore sweep 21" }).click();
      await read(page, "No deleted experiments");
    });
    expect(trouble).toEqual([]);
  });

  it("keeps the token in the tab and reads files with it", async () => {
    const { id } = await keeper.runs.create({ name: "secret" });
    await fetch(`${guarded.url}/api/v1/default/default/runs/${id}/artifacts/a.txt`, {
      method: "PUT",
      headers: { authorization: "Bearer open-sesame" },
      body: "for your eyes",
    });
    await visit(
      `/runs/${id}${search({ artifact: "a.txt" })}`,
      async (page) => {
        await page.getByLabel("Access token").fill("open-sesame");
        await page.getByRole("button", { name: "Enter" }).click();
        await heading(page, "secret");
        await read(page, "for your eyes");
        expect(page.url()).not.toContain("sesame");
      },
      guarded,
    );
  });

  it("offers no change of tags any more to somebody who was told that they may only look", async () => {
    const { id } = await keeper.runs.create({ name: "looked at", tags: { team: "core" } });
    await keeper.users.add({ name: "anna", role: "viewer" });
    const { secret } = await keeper.tokens.create({ user: "anna" });
    const trouble = await visit(
      `/runs/${id}`,
      async (page) => {
        await page.getByLabel("Access token").fill(secret);
        await page.getByRole("button", { name: "Enter" }).click();
        await page.getByRole("button", { name: "Remove team" }).click();
        await page.getByRole("alert").getByText("SERVER_PERMISSION_MISSING").waitFor();
        expect(await page.getByRole("button", { name: "Remove team" }).count()).toBe(0);
        expect(await page.getByLabel("New tag", { exact: true }).count()).toBe(0);
        await read(page, "core");
      },
      guarded,
    );
    expect(trouble.filter((each) => !each.startsWith("answer 40"))).toEqual([]);
    expect((await keeper.runs.get({ id })).tags).toMatchObject({ team: "core" });
  });

  it("can be read in dark colours", async () => {
    const dark = await openContext(browser, "dark");
    for (const [name, path] of [
      ["list", `/runs${search({ experiment: churn })}`],
      ["compare", `/runs/compare${search({ ids: forests.slice(0, 4) })}`],
      ["run", `/runs/${forests[0]}`],
    ] as const) {
      const trouble = await visit(
        path,
        async (page) => {
          await page.waitForLoadState("networkidle");
          await fits(page);
          expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("dark");
          await picture(page, `dark-${name}`);
        },
        server,
        dark,
      );
      expect(trouble).toEqual([]);
    }
    await dark.close();
  });
});
