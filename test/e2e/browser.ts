import { execFileSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The system's Chromium, or null where there is none. */
export function findChromium(): string | null {
  const asked = process.env.CHROMIUM_PATH;
  if (asked !== undefined && asked !== "") return existsSync(asked) ? asked : null;
  return PLACES.find((place) => existsSync(place)) ?? null;
}

export const HOW_TO_INSTALL = [
  "",
  "*** The browser tests were SKIPPED: there is no Chromium on this machine. ***",
  "*** Install it:  apt-get update && apt-get install -y --no-install-recommends chromium fonts-liberation ***",
  "*** or set CHROMIUM_PATH to the one you have. ***",
  "",
].join("\n");

export const openBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/** Builds the UI when it is older than what it is made from, so that the test never looks at yesterday's pages. */
export function buildUi(): void {
  const built = join(ROOT, "ui/dist/index.html");
  const sources = globSync(["ui/src/**/*", "ui/index.html", "ui/vite.config.ts", "src/client/*.ts", "src/contract/*.ts"], {
    cwd: ROOT,
  });
  const newest = Math.max(...sources.map((file) => statSync(join(ROOT, file)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  // Vitest says "test" here, which would build the development version of React.
  const env = { ...process.env, NODE_ENV: "production" };
  execFileSync(process.execPath, [vite, "build", "ui", "--logLevel", "error"], { cwd: ROOT, env });
}

/** Notes everything that a person would find in the browser's console as wrong: errors, exceptions, requests that failed. */
export function watchTrouble(page: Page): string[] {
  const trouble: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") trouble.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => trouble.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // What a page asked for is given up when one goes on to another.
    if (why !== "net::ERR_ABORTED") trouble.push(`request failed: ${request.url()} ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) trouble.push(`answer ${response.status()}: ${response.url()}`);
  });
  return trouble;
}

export const openContext = (browser: Browser, colorScheme: "light" | "dark"): Promise<BrowserContext> =>
  browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
