// Opens the page in a real Chromium, and keeps everything that the browser complains about.
/// <reference lib="dom" />
import { type Browser, chromium, type Page } from "playwright-core";

const waitMsMax = 15_000;
const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Null when this machine has no Chromium. */
export const chromiumPath = names.map((name) => Bun.which(name)).find((path) => path !== null) ??
  null;

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? "chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}

export const wide = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

export interface Visit extends AsyncDisposable {
  page: Page;
  /**
   * Errors of the console (a broken content policy is one), exceptions, dialogs, and requests to
   * anything but the server. The browser itself writes a line for an answer of 4xx.
   */
  complaints: string[];
}

/** A browser of its own: no cookie and nothing stored is shared with another visit. */
export async function visit(
  browser: Browser,
  url: string,
  { viewport = wide, dark = false }: { viewport?: typeof wide; dark?: boolean } = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light" });
  context.setDefaultTimeout(waitMsMax);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => complaints.push(`popup: ${popup.url()}`));
  const { origin } = new URL(url);
  page.on("request", (request) => {
    const to = request.url();
    if (!to.startsWith(`${origin}/`)) complaints.push(`request: ${to.slice(0, 200)}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Elements that reach beyond the right edge of the window; none on a page that fits it. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => `${element.tagName}.${element.getAttribute("class")}`);
  });
}
