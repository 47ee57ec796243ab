// The page of a server that knows nobody by their address: it asks for a key, and forgets it again.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;
const key = "a-key-for-the-page-alone";

describe.skipIf(chromiumPath === null)("page, login", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: key } });
    await site.send("shop", [{ event_id: "one", event_type: "span", name: "inside" }]);
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  test("a key opens the page, a wrong one is told, and logging out closes it", async () => {
    await using visited = await visit(site.browser, "about:blank");
    const { page } = visited;
    // Behind a proxy nobody is the local user.
    await page.setExtraHTTPHeaders({ "x-forwarded-for": "203.0.113.7" });
    await page.goto(site.url);
    const field = page.getByLabel("Key");
    await field.fill("not-the-key-of-anybody");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("alert").innerText()).toContain("unknown");
    await field.fill(key);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "inside" }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "inside" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await field.waitFor();
    await page.getByRole("link", { name: "inside" }).waitFor({ state: "detached" });
  }, testMsMax);
});
