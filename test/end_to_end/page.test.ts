// The page against a real server in a real browser: what a user sees is what was sent.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { Metrics } from "../../web/api.ts";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/** One run: a model call, the tool it asked for, which fails, and an answer without a price. */
const booking = [
  {
    event_id: "ask",
    run_id: "trip",
    event_type: "prompt_call",
    name: "plan",
    model: "gpt-4o",
    provider: "openai",
    timestamp: minutesAgo(9),
    span_id: "s1",
    latency_ms: 12_000,
    tokens_input: 120,
    tokens_output: 30,
    cost_estimate_usd: 0.25,
    user_id: "noor",
    prompt: [
      { role: "system", content: "You book flights." },
      { role: "user", content: "Two seats to Porto" },
    ],
    response: "I will look for seats.",
    tool_calls: [{
      id: "call-1",
      type: "function",
      function: { name: "find_seats", arguments: '{"to":"OPO","seats":2}' },
    }],
  },
  {
    event_id: "look",
    run_id: "trip",
    event_type: "tool_call",
    tool_name: "find_seats",
    tool_call_id: "call-1",
    timestamp: minutesAgo(8.9),
    span_id: "s2",
    parent_span_id: "s1",
    latency_ms: 300,
    status: "error",
    error: { message: "No seats on that day", type: "SoldOut", stack: "at find_seats (air.ts:7)" },
    input: { to: "OPO", seats: 2 },
  },
  {
    event_id: "answer",
    run_id: "trip",
    event_type: "prompt_call",
    name: "answer",
    model: "a-model-without-a-price",
    timestamp: minutesAgo(8.8),
    latency_ms: 800,
    tokens_input: 180,
    tokens_output: 12,
    prompt: "Tell the user",
    response: "That day is sold out.",
  },
];

const rows = (page: Page) => page.getByRole("list", { name: "Events" }).getByRole("listitem");
const filterField = (page: Page) => page.getByRole("combobox", { name: "Filter" });

if (chromiumPath === null) console.error("No Chromium on this machine: the page is not tested.");

describe.skipIf(chromiumPath === null)("page", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  test("an empty project waits, with the address to send to, and turns live", async () => {
    const at = await site.project("empty");
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByRole("heading", { name: "Waiting for events…" }).waitFor();
    await page.getByText(`${site.url}/v1/projects/empty/events`).first().waitFor();
    await site.send("empty", [{ event_id: "one", event_type: "prompt_call", name: "first_call" }]);
    await page.getByRole("link", { name: "first_call" }).waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("a live event appears without a reload", async () => {
    const at = await site.project("live", [{
      event_id: "old",
      event_type: "span",
      name: "before",
    }]);
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByRole("link", { name: "before" }).waitFor();
    await page.evaluate(() => document.body.dataset.kept = "yes");
    await site.send("live", [{ event_id: "new", event_type: "prompt_call", name: "just_now" }]);
    await rows(page).first().getByRole("link", { name: "just_now" }).waitFor();
    await page.getByText("2 events", { exact: true }).waitFor();
    expect(await page.evaluate(() => document.body.dataset.kept)).toBe("yes");
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("an event between the first list and the live stream is not missed", async () => {
    const at = await site.project("gap", [{ event_id: "old", event_type: "span", name: "before" }]);
    await using visited = await visit(site.browser, "about:blank");
    const { page } = visited;
    let sent = false;
    await page.route("**/api/live?*", async (route) => {
      if (!sent) {
        sent = true;
        await page.getByRole("link", { name: "before" }).waitFor();
        await site.send("gap", [{ event_id: "new", event_type: "span", name: "in_between" }]);
      }
      await route.continue();
    });
    await page.goto(`${site.url}/?${at}`);
    await page.getByRole("link", { name: "in_between" }).waitFor();
  }, testMsMax);

  test("a filter narrows the list, and its address shows the same again", async () => {
    const at = await site.project("narrow", booking);
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByText("3 events", { exact: true }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("status:er");
    await page.getByRole("option", { name: "error" }).waitFor();
    await page.keyboard.press("Tab");
    await page.getByText("1 event", { exact: true }).waitFor();
    expect(await rows(page).count()).toBe(1);
    expect(await rows(page).innerText()).toContain("No seats on that day");
    expect(new URL(page.url()).searchParams.get("filter")).toBe("status:error");
    await page.reload();
    await page.getByText("1 event", { exact: true }).waitFor();
    expect(await filterField(page).inputValue()).toBe("status:error");
    await filterField(page).fill("Porto");
    await page.getByRole("link", { name: "plan" }).waitFor();
    await page.getByText("1 event", { exact: true }).waitFor();
    await filterField(page).fill("colour:red");
    await filterField(page).blur();
    await page.getByText("not a field to filter by").waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("an event opens over the list with its conversation, and Escape closes it", async () => {
    const at = await site.project("drawer", booking);
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByRole("link", { name: "plan" }).click();
    const drawer = page.getByRole("dialog", { name: "Event" });
    for (const text of ["You book flights.", "Two seats to Porto", "I will look for seats."]) {
      await drawer.getByText(text).waitFor();
    }
    await drawer.getByText("find_seats").first().waitFor();
    await drawer.getByText("OPO").waitFor();
    await drawer.getByText("$0.2500").waitFor();
    await page.keyboard.press("k");
    await drawer.getByText("No seats on that day").first().waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("a run is a tree with its tool calls, and a conversation", async () => {
    const at = await site.project("runs", booking);
    await using visited = await visit(site.browser, `${site.url}/runs?${at}`);
    const { page } = visited;
    await page.getByRole("list", { name: "Runs" }).getByRole("link").first().click();
    await page.waitForURL((url) => url.pathname === "/runs/trip");
    const tree = page.getByRole("tree");
    await tree.getByRole("treeitem", { name: "find_seats" }).waitFor();
    const levels = await tree.getByRole("treeitem").evaluateAll((items) =>
      items.map((item) =>
        `${item.getAttribute("aria-level")} ${item.querySelector("b")?.textContent}`
      )
    );
    expect(levels).toEqual(["1 plan", "2 find_seats", "1 answer"]);
    // What failed is open already.
    await page.getByRole("region", { name: "Event" }).getByText("SoldOut").first().waitFor();
    await tree.getByRole("treeitem", { name: "plan" }).click();
    await page.getByRole("region", { name: "Event" }).getByText("Two seats to Porto").waitFor();
    await page.getByRole("tab", { name: "Conversation" }).click();
    for (const text of ["Two seats to Porto", "No seats on that day", "That day is sold out."]) {
      await page.getByText(text).first().waitFor();
    }
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("the charts tell the numbers that the API and the lists tell", async () => {
    const at = await site.project("numbers", booking);
    await using visited = await visit(site.browser, `${site.url}/charts?${at}&since=all`);
    const { page } = visited;
    const { summary } = await site.get<Metrics>("/api/metrics?project_id=numbers");
    const told = (name: string) =>
      page.locator("dl.summary > div").filter({ has: page.getByText(name, { exact: true }) })
        .locator("dd");
    await told("Requests").first().waitFor();
    const shown = async (name: string) => await told(name).allInnerTexts();
    expect(await shown("Requests")).toEqual([String(summary.requests)]);
    expect(summary.requests).toBe(3);
    expect(await shown("Errors")).toEqual([String(summary.errors), "33%"]);
    expect(await shown("Input tokens")).toEqual([String(summary.tokens_input)]);
    expect(await shown("Output tokens")).toEqual([String(summary.tokens_output)]);
    // What has no price is told, and is not zero.
    expect(summary.cost_usd).toBeCloseTo(0.25);
    expect(await shown("Cost")).toEqual(["$0.2500", "1 call of unknown price"]);
    expect(await page.locator("canvas").count()).toBe(4);

    await page.getByRole("button", { name: "Show as table" }).click();
    const requests = await page.locator("tbody tr td:nth-of-type(1)").allInnerTexts();
    expect(requests.reduce((sum, text) => sum + Number(text), 0)).toBe(summary.requests);

    await page.getByLabel("Group by").selectOption("model");
    await page.getByRole("button", { name: "a-model-without-a-price" }).click();
    await page.waitForURL(/filter=model:a-model-without-a-price/);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("the console answers, and tells in place why it does not", async () => {
    const at = await site.project("console", booking);
    await using visited = await visit(site.browser, `${site.url}/sql?${at}`);
    const { page } = visited;
    const editor = page.getByRole("textbox", { name: "SQL" });
    await editor.fill("SELECT run_id, count(*) AS calls FROM events GROUP BY run_id");
    await editor.press("Control+Enter");
    await page.getByRole("cell", { name: "trip", exact: true }).waitFor();
    await page.getByRole("cell", { name: "3", exact: true }).waitFor();
    await page.getByText(/^1 row · /).waitFor();
    expect(visited.complaints).toEqual([]);
    await editor.fill("SELECT no_such_column FROM events");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const problem = page.getByRole("alert");
    await problem.waitFor();
    expect(await problem.innerText()).toContain("no_such_column");
  }, testMsMax);

  test("a filter goes on as SQL", async () => {
    const at = await site.project("as-sql", booking);
    const filter = encodeURIComponent("status:error Seats");
    await using visited = await visit(site.browser, `${site.url}/?${at}&filter=${filter}`);
    const { page } = visited;
    await page.getByText("1 event", { exact: true }).waitFor();
    await page.getByRole("link", { name: "View as SQL" }).click();
    await page.getByRole("cell", { name: "trip", exact: true }).waitFor();
    await page.getByText(/^1 row · /).waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("keys go from run to run, from failure to failure, and from page to page", async () => {
    const failed = (run_id: string, minutes: number) =>
      ["a", "b"].map((step) => ({
        event_id: `${run_id}-${step}`,
        run_id,
        event_type: "span",
        name: `${run_id} ${step}`,
        status: "error",
        timestamp: minutesAgo(minutes),
      }));
    const at = await site.project("keys", [...failed("early", 9), ...failed("late", 3)]);
    await using visited = await visit(site.browser, `${site.url}/runs?${at}`);
    const { page } = visited;
    const shown = (name: string) =>
      page.getByRole("region", { name: "Event" }).getByRole("heading", { name }).waitFor();
    await page.getByRole("list", { name: "Runs" }).getByRole("link").first().click();
    await page.waitForURL((url) => url.pathname === "/runs/late");
    await shown("late a");
    await page.keyboard.press("n");
    await shown("late b");
    await page.keyboard.press("]");
    await page.waitForURL((url) => url.pathname === "/runs/early");
    await shown("early a");
    await page.keyboard.press("[");
    await page.waitForURL((url) => url.pathname === "/runs/late");
    // Opened by its address there is no list, and still something before it.
    await page.reload();
    await shown("late a");
    await page.getByRole("button", { name: "Older run" }).click();
    await page.waitForURL((url) => url.pathname === "/runs/early");
    for (const [letter, path] of [["m", "/charts"], ["s", "/sql"], ["r", "/runs"], ["e", "/"]]) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter ?? "");
      await page.waitForURL((url) => url.pathname === path);
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("what SDKs had to drop is told, with the reasons", async () => {
    const at = await site.project("drops");
    const response = await fetch(`${site.url}/v1/projects/drops/events`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-aisentry-drops": "queue_full=1204, too_large=3",
      },
      body: JSON.stringify([{ event_type: "span" }]),
    });
    expect(response.status).toBe(202);
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByText("1,207 events dropped by SDKs").first().waitFor();
    await page.getByTitle(/queue full 1,204, too large 3/).first().waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  for (const tab of ["curl", "OpenTelemetry", "Langfuse SDK", "JavaScript", "Python"]) {
    test(`how to send reads well on a phone: ${tab}`, async () => {
      const at = await site.project(`start-${tab.toLowerCase().replace(" ", "-")}`);
      await using visited = await visit(site.browser, `${site.url}/?${at}`, { viewport: phone });
      const { page } = visited;
      await page.getByRole("tab", { name: tab }).click();
      const code = page.getByRole("tabpanel").locator("pre").last();
      const [inside, needed] = await code.evaluate((el) => [el.clientWidth, el.scrollWidth]);
      expect(needed).toBe(inside!);
      const tabs = await page.getByRole("tab").all();
      for (const one of tabs) {
        const box = await one.boundingBox();
        expect(box!.x + box!.width).toBeLessThanOrEqual(phone.width);
      }
      expect(await overflowing(page)).toEqual([]);
      expect(visited.complaints).toEqual([]);
    }, testMsMax);
  }
});
