// The pages below /settings against a real server in a real browser.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

const call = (event_id: string, model: string) => ({
  event_id,
  event_type: "prompt_call",
  model,
  tokens_input: 1_000_000,
  tokens_output: 1000,
});

describe.skipIf(chromiumPath === null)("page: settings", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  test("a model without a price gets one, and its next call a cost", async () => {
    const at = await site.project("unpriced", [call("one", "our-own-model")]);
    await using visited = await visit(site.browser, `${site.url}/settings/prices?${at}`);
    const { page } = visited;
    await page.getByRole("row", { name: /our-own-model/ }).getByRole("button").click();
    const form = page.getByRole("form", { name: "A price" });
    await form.getByLabel("Input").fill("2.5");
    await form.getByLabel("Output").fill("10");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("region", { name: "Prices of this project" }).getByText("$2.50").waitFor();
    await site.send("unpriced", [call("two", "our-own-model")]);
    const event = await site.get<Record<string, unknown>>(`/api/events/two?project_id=unpriced`);
    expect(event.cost_estimate_usd).toBeCloseTo(2.51, 9);
    await page.getByRole("button", { name: "Remove the price of our-own-model" }).click();
    await page.getByRole("region", { name: "Prices of this project" }).waitFor({
      state: "detached",
    });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("the price list is searched", async () => {
    const at = await site.project("search", [call("one", "gpt-4o")]);
    await using visited = await visit(site.browser, `${site.url}/settings/prices?${at}`, {
      viewport: phone,
    });
    const { page } = visited;
    await page.getByText("Every model call with tokens has a cost").waitFor();
    await page.getByRole("searchbox", { name: "Find a model" }).fill("gpt-4o-mini");
    const list = page.getByRole("region", { name: "Price list" });
    await list.getByRole("cell", { name: /^openai\/gpt-4o-mini( \+\d+)?$/ }).waitFor();
    await list.getByText("anthropic/claude-2").waitFor({ state: "detached" });
    expect(await overflowing(page)).toEqual([]);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
