import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildUi, findChromium, HOW_TO_INSTALL, openBrowser, openContext, watchTrouble } from "./browser.ts";
import { type FixtureServer, startFixtureServer } from "./fixture-server.ts";
import { ENDPOINT, PIPELINE_RUN, PREDICTION } from "./fixtures/index.ts";

const chromium = findChromium();
if (chromium === null) console.warn(HOW_TO_INSTALL);

/** Where pictures of every page go, for a person to look at; none are taken when it is not set. */
const pictures = process.env.ORRERY_SCREENSHOTS;
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

interface Visit {
  readonly name: string;
  readonly path: string;
  readonly heading: string;
  /** Figures of the data that must be readable. */
  readonly texts: readonly string[];
}

const RUN = "run-099998";
const VISITS: readonly Visit[] = [
  {
    name: "home",
    path: "/",
    heading: "The loop",
    texts: ["3 features have drifted", "Monitoring asks for attention", "offer a free rebooking", "0.742", "source weather"],
  },
  {
    name: "data",
    path: "/data",
    heading: "Data",
    texts: ["336,776", "between -240 and 2880", "Profile of flights", "UA 17.4%", "0.64", "arr_delay + air_time"],
  },
  { name: "features", path: "/features", heading: "Features", texts: ["carrier_recent", "late_rate_24h", "not yet"] },
  { name: "runs", path: "/runs", heading: "Runs", texts: ["gradient-boosting", "ROC AUC", "1 to 50"] },
  {
    name: "run",
    path: `/runs/${RUN}`,
    heading: "baseline",
    texts: ["model.orrery-model", "snap-weather", "Uncommitted changes"],
  },
  {
    name: "compare",
    path: `/runs/compare?ids=${encodeURIComponent(JSON.stringify(["run-099999", RUN]))}`,
    heading: "Runs side by side",
    texts: ["best", "Payoff per decision", "rate"],
  },
  { name: "models", path: "/models", heading: "Models", texts: ["late-arrival", "champion → 3"] },
  {
    name: "model",
    path: "/models/late-arrival",
    heading: "late-arrival",
    texts: ["calibration error 0.07, at most 0.05 is asked", "rejected"],
  },
  {
    name: "gates",
    path: "/models/late-arrival?tab=gates",
    heading: "late-arrival",
    texts: ["Gate of version 3", "roc_auc at least 0.7", "0.041"],
  },
  {
    name: "candidates",
    path: "/models/late-arrival?tab=candidates",
    heading: "late-arrival",
    texts: ["logistic-regression", "0.731 to 0.753", "27,004 rows"],
  },
  {
    name: "explanation",
    path: "/models/late-arrival?tab=explanation",
    heading: "late-arrival",
    texts: ["Permutation importance", "weather_now.temp", "low value of the feature"],
  },
  { name: "segments", path: "/models/late-arrival?tab=segments", heading: "late-arrival", texts: ["carrier = OO", "32"] },
  {
    name: "card",
    path: "/models/late-arrival?tab=card",
    heading: "late-arrival",
    texts: ["late-arrival, version 3", "<script>alert(1)</script> stays text."],
  },
  {
    name: "pipelines",
    path: "/pipelines",
    heading: "Pipelines",
    texts: ["0 3 * * *", "ingest → validate", "alert: drift of weather_now.wind_speed"],
  },
  {
    name: "pipeline-run",
    path: `/pipelines/runs/${PIPELINE_RUN}`,
    heading: "A run of daily",
    texts: ["materialize", "succeeded, attempt 2", "38.0 s"],
  },
  {
    name: "failed-run",
    path: "/pipelines/runs/prun-000000000041",
    heading: "A run of daily",
    texts: ["DATA_FILE_MISSING", "Check the source's path."],
  },
  {
    name: "endpoints",
    path: "/endpoints",
    heading: "Endpoints",
    texts: ["champion, version 3: 90%", "departure_hour", "http://127.0.0.1:4101"],
  },
  {
    name: "monitoring",
    path: "/monitoring",
    heading: "Monitoring",
    texts: ["weather_now.wind_speed", "Seasonal", "estimated without labels", "1.609 times"],
  },
  { name: "predictions", path: "/predictions", heading: "Predictions", texts: [PREDICTION, "1.41 ms"] },
  {
    name: "prediction",
    path: `/predictions/${PREDICTION}`,
    heading: "Prediction",
    texts: ["plane_recent, plane_info", "weather_now.humid", "base -1.28", "Probability then"],
  },
  {
    name: "system",
    path: "/system",
    heading: "System",
    texts: ["71.0 GB free", "not available", "inference late-arrival", "gone"],
  },
];

describe.skipIf(chromium === null)("the web UI in a browser", () => {
  let browser: Browser;
  const contexts = new Map<"light" | "dark", BrowserContext>();
  let full: FixtureServer;
  let fresh: FixtureServer;
  let guarded: FixtureServer;

  beforeAll(async () => {
    buildUi();
    [full, fresh, guarded] = await Promise.all([
      startFixtureServer({ state: "full" }),
      startFixtureServer({ state: "fresh" }),
      startFixtureServer({ state: "full", token: "open-sesame" }),
    ]);
    browser = await openBrowser(chromium ?? "");
    for (const scheme of ["light", "dark"] as const) contexts.set(scheme, await openContext(browser, scheme));
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([full, fresh, guarded].map((server) => server?.close()));
  });

  /** A page of its own, with its trouble; nothing may have gone wrong by the end unless the test expects it. */
  async function visit(
    path: string,
    run: (page: Page, trouble: string[]) => Promise<void>,
    scheme: "light" | "dark" = "light",
    server = full,
  ) {
    const page = (await contexts.get(scheme)?.newPage()) ?? (await browser.newPage());
    const trouble = watchTrouble(page);
    await page.goto(`${server.url}${path}`);
    await run(page, trouble);
    const seen = [...trouble];
    await page.close();
    return seen;
  }

  async function picture(page: Page, name: string) {
    if (pictures === undefined) return;
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  const read = (page: Page, text: string) => page.getByText(text).first().waitFor({ state: "attached" });

  describe.each(["light", "dark"] as const)("in %s colours", (scheme) => {
    it.each(VISITS)(
      "draws $name with its figures, without an error and without scrolling sideways",
      async ({ name, path, heading: title, texts }) => {
        const trouble = await visit(
          path,
          async (page) => {
            await heading(page, title);
            for (const text of texts) await read(page, text);
            await page.waitForFunction("document.querySelector('.skeleton') === null");
            expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
            expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe(scheme);
            await picture(page, `${scheme}-${name}`);
          },
          scheme,
        );
        expect(trouble).toEqual([]);
      },
    );
  });

  it.each([
    ["/", "No gate has been opened yet"],
    ["/data", "No data yet"],
    ["/features", "No feature views"],
    ["/runs", "No runs"],
    ["/models", "No registered models"],
    ["/pipelines", "Nothing has run yet"],
    ["/endpoints", "No endpoints"],
    ["/monitoring", "Nothing to watch yet"],
    ["/predictions", "No endpoints"],
    ["/system", "No other process has been started"],
  ])("says what is missing at %s before anything has run", async (path, text) => {
    const trouble = await visit(path, (page) => read(page, text), "light", fresh);
    expect(trouble).toEqual([]);
  });

  it.each([
    ["/predictions/pred-unknown", "There is no prediction pred-unknown"],
    ["/runs/run-0", "There is no run run-0"],
  ])("shows code, message and hint of an error at %s", async (path, message) => {
    await visit(path, async (page) => {
      const notice = page.getByRole("alert").first();
      await notice.waitFor();
      const text = await notice.innerText();
      for (const part of [message, "FIXTURE_MISSING", "Ask for one that the fixtures have."]) expect(text).toContain(part);
      await picture(page, `light-error${path.replaceAll("/", "-")}`);
    });
  });

  it("says so when there is no such page", async () => {
    await visit("/nowhere", (page) => read(page, "There is no such page"));
  });

  it("walks a hundred thousand runs page by page and compares those that were chosen", async () => {
    const trouble = await visit("/runs", async (page) => {
      await page.getByRole("button", { name: "Next" }).click();
      await read(page, "51 to 100");
      await page.getByRole("button", { name: "Previous" }).click();
      await read(page, "1 to 50");
      expect(await page.getByRole("button", { name: "Select runs to compare" }).isDisabled()).toBe(true);
      await page.getByRole("checkbox", { name: "Compare logistic-regression" }).first().check();
      await page.getByRole("checkbox", { name: "Compare baseline" }).first().check();
      await page.getByRole("button", { name: "Compare 2 runs" }).click();
      await heading(page, "Runs side by side");
      await read(page, "Calibration error");
    });
    expect(trouble).toEqual([]);
  });

  it("asks an endpoint, after refusing a value of the wrong type beside its field", async () => {
    const trouble = await visit("/endpoints", async (page) => {
      await page.getByLabel("departure_hour").fill("half past five");
      await page.getByRole("button", { name: "Predict" }).click();
      await read(page, "A whole number");
      await page.getByRole("button", { name: "Fill in the last request" }).click();
      expect(await page.getByLabel("departure_hour").inputValue()).toBe("5");
      await page.getByRole("button", { name: "Predict" }).click();
      await read(page, "No features were found for: plane_info");
      await picture(page, "light-tried");
      await page.getByRole("link", { name: "Look into this prediction" }).click();
      await heading(page, "Prediction");
    });
    expect(trouble).toEqual([]);
  });

  it("asks for a reason before it moves an alias, and shows why the server refused", async () => {
    await visit("/models/late-arrival", async (page) => {
      await page.getByRole("button", { name: "Promote" }).click();
      const dialog = page.getByRole("dialog");
      expect(await dialog.getByRole("button", { name: /^Promote version 3/ }).isDisabled()).toBe(true);
      await dialog.getByLabel("Reason").fill("better on new routes");
      await picture(page, "light-promote");
      await dialog.getByRole("button", { name: /^Promote version 3/ }).click();
      await read(page, "No gate has passed for this version");
    });
  });

  it("acknowledges an alert and starts a pipeline", async () => {
    const trouble = await visit("/monitoring", async (page) => {
      const answered = page.waitForResponse((response) => response.url().endsWith("/acknowledge"));
      await page.getByRole("button", { name: /^Acknowledge: weather_now/ }).click();
      expect((await answered).status()).toBe(200);
      await page.getByRole("link", { name: "Pipelines", exact: true }).first().click();
      await page.getByRole("button", { name: "Start daily" }).click();
      await heading(page, "A run of daily");
      await page.waitForLoadState("networkidle");
    });
    expect(trouble).toEqual([]);
  });

  it("is reached by keyboard: the first key skips to the page, every body of the orrery takes the focus and tells its headline", async () => {
    await visit("/", async (page) => {
      await heading(page, "The loop");
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the page");
      const bodies = page.locator(".orrery a");
      expect(await bodies.count()).toBe(8);
      await bodies.nth(6).focus();
      await page.locator(".orrery .centre", { hasText: "3 features have drifted" }).waitFor();
      await page.keyboard.press("Enter");
      await heading(page, "Monitoring");
    });
  });

  it("stands still for those who ask for less motion", async () => {
    await visit("/", async (page) => {
      await heading(page, "The loop");
      expect(await page.evaluate("getComputedStyle(document.querySelector('.orrery .ticks')).animationName")).toBe("none");
    });
  });

  it("keeps the colours that were chosen", async () => {
    await visit("/system", async (page) => {
      await page.getByRole("button", { name: /^Colours/ }).click();
      await page.getByRole("button", { name: /^Colours: light/ }).click();
      await page.reload();
      await heading(page, "System");
      expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("dark");
      await page.evaluate("localStorage.clear()");
    });
  });

  it("asks for the token of a server that wants one, keeps it in the tab only, and refuses a wrong one", async () => {
    await visit(
      "/models/late-arrival?tab=card",
      async (page) => {
        await page.getByLabel("Access token").fill("wrong");
        await page.getByRole("button", { name: "Enter" }).click();
        await read(page, "The server did not accept this token.");
        await picture(page, "light-token");
        await page.getByLabel("Access token").fill("open-sesame");
        await page.getByRole("button", { name: "Enter" }).click();
        await heading(page, "late-arrival");
        expect(await page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")).not.toContain("sesame");
        await page.reload();
        await heading(page, "late-arrival");
      },
      "light",
      guarded,
    );
  });

  it("leads nowhere but to this server from a model card", async () => {
    await visit(`/models/late-arrival?tab=card`, async (page) => {
      await read(page, "not this");
      const links = await page.locator(".prose a").evaluateAll((found) => found.map((link) => link.getAttribute("href")));
      expect(links).toEqual(["/data"]);
    });
  });

  it("follows the endpoint in the address", async () => {
    await visit(`/monitoring?endpoint=${ENDPOINT}`, (page) => read(page, "Drift"));
  });
});
