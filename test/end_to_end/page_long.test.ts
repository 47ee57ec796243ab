// Much data on the page: what is not on screen is not drawn, and a list that is read does not move.
/// <reference lib="dom" />
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, phone, visit, wide } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;
const runEvents = 4000;
/** Far fewer than the run has, far more than a screen shows. */
const drawnMax = 80;

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/** A tree of four children to each event. */
const longRun = Array.from({ length: runEvents }, (_, index) => ({
  event_id: `e${index}`,
  run_id: "long",
  event_type: index % 2 === 0 ? "agent_step" : "tool_call",
  name: `step ${index}`,
  span_id: `s${index}`,
  ...(index === 0 ? {} : { parent_span_id: `s${Math.floor((index - 1) / 4)}` }),
  timestamp: minutesAgo(30 - index / 1000),
  latency_ms: 50,
}));

describe.skipIf(chromiumPath === null)("page, much data", () => {
  let site: Site;
  let at: string;
  beforeAll(async () => {
    site = await openSite();
    at = await site.project("long", longRun);
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  for (const [name, viewport] of [["wide", wide], ["phone", phone]] as const) {
    test(`of a long run only what is on screen is drawn, ${name}`, async () => {
      await using visited = await visit(site.browser, `${site.url}/runs/long?${at}`, { viewport });
      const { page } = visited;
      const drawn = page.getByRole("treeitem");
      await page.getByRole("treeitem", { name: "step 0," }).waitFor();
      expect(await drawn.count()).toBeLessThan(drawnMax);
      await page.getByRole("tree").focus();
      await page.keyboard.press("End");
      if (viewport === phone) {
        // On a phone the event that was chosen takes the screen, and the tree is one step back.
        await page.getByRole("link", { name: "Tree", exact: true }).last().click();
        await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      }
      await page.locator(`#node-${runEvents - 1}`).waitFor();
      expect(await drawn.count()).toBeLessThan(drawnMax);
      expect(visited.complaints).toEqual([]);
    }, testMsMax);
  }

  test("a list that is scrolled holds new events back until asked", async () => {
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    const rows = page.getByRole("list", { name: "Events" }).getByRole("listitem");
    await page.locator(".live-live").waitFor();
    await rows.first().waitFor();
    await page.getByRole("button", { name: "Load more" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-event]").length > 50);
    await page.evaluate(() => scrollTo(0, 1200));
    const first = await rows.first().getAttribute("data-event");
    await site.send("long", [{ event_id: "new", event_type: "span", name: "fresh" }]);
    const pill = page.getByRole("button", { name: "1 new" });
    await pill.waitFor();
    expect(await rows.first().getAttribute("data-event")).toBe(first);
    await pill.click();
    await page.getByRole("link", { name: "fresh" }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
