// The page against a real server in a real browser: what a user sees is what was sent.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { buildPage } from "../../scripts/page.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";
import { chromiumPath, openBrowser, overflowing, phone, visit } from "./browser.ts";

const testMsMax = 60_000;
const visibleMsMax = 10_000;

let server: RunningServer;
let browser: Browser;
const folder = temporaryFolder();

/** Of a project of its own, so that no test sees what another sends. */
async function project(project_id: string, events: object[] = []): Promise<string> {
  await post("/api/projects", { project_id });
  if (events.length > 0) await send(project_id, events);
  return `?project=${project_id}`;
}

async function send(project_id: string, events: object[]): Promise<void> {
  const { rejected } = await post(`/v1/projects/${project_id}/events`, events) as {
    rejected: unknown[];
  };
  expect(rejected).toEqual([]);
  const wanted = new Set(events.map((event) => (event as { event_id: string }).event_id));
  const deadline = performance.now() + visibleMsMax;
  for (;;) {
    const ask = `/api/events?project_id=${project_id}&limit=1000`;
    const { events: seen } = await get<{ events: { event_id: string }[] }>(ask);
    for (const { event_id } of seen) wanted.delete(event_id);
    if (wanted.size === 0) return;
    if (performance.now() > deadline) throw new Error(`Not visible: ${[...wanted].join(", ")}`);
  }
}

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(server.url + path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json() as T;
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

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
    latency_ms: 1200,
    tokens_input: 120,
    tokens_output: 30,
    cost_reported_usd: 0.25,
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
const until = async (ask: () => Promise<boolean>, what: string) => {
  const deadline = performance.now() + visibleMsMax;
  while (!await ask()) {
    if (performance.now() > deadline) throw new Error(`Still not so: ${what}`);
    await Bun.sleep(20);
  }
};

if (chromiumPath === null) console.error("No Chromium on this machine: the page is not tested.");

describe.skipIf(chromiumPath === null)("page", () => {
  beforeAll(async () => {
    await buildPage();
    server = await startServer({ dataDir: folder.path, command: fromSource });
    browser = await openBrowser();
  }, testMsMax);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    folder.remove();
  }, testMsMax);

  test("an empty project waits, with the address to send to, and turns live", async () => {
    const at = await project("empty");
    await using visited = await visit(browser, `${server.url}/${at}`);
    const { page } = visited;
    await page.getByRole("heading", { name: "Waiting for events…" }).waitFor();
    await page.getByText(`${server.url}/v1/projects/empty/events`).first().waitFor();
    await send("empty", [{ event_id: "first", event_type: "prompt_call", name: "first_call" }]);
    await page.getByRole("link", { name: "first_call" }).waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("a live event appears without a reload", async () => {
    const at = await project("live", [{ event_id: "old", event_type: "span", name: "before" }]);
    await using visited = await visit(browser, `${server.url}/${at}`);
    const { page } = visited;
    await page.getByRole("link", { name: "before" }).waitFor();
    await page.evaluate(() => document.body.dataset.kept = "yes");
    await send("live", [{ event_id: "new", event_type: "prompt_call", name: "just_now" }]);
    await rows(page).first().getByRole("link", { name: "just_now" }).waitFor();
    await page.getByText("2 events", { exact: true }).waitFor();
    expect(await page.evaluate(() => document.body.dataset.kept)).toBe("yes");
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("an event between the first list and the live stream is not missed", async () => {
    const at = await project("gap", [{ event_id: "old", event_type: "span", name: "before" }]);
    await using visited = await visit(browser, "about:blank");
    const { page } = visited;
    let sent = false;
    await page.route("**/api/live?*", async (route) => {
      if (!sent) {
        await page.getByRole("link", { name: "before" }).waitFor();
        await send("gap", [{ event_id: "new", event_type: "span", name: "in_between" }]);
        sent = true;
      }
      await route.continue();
    });
    await page.goto(`${server.url}/${at}`);
    await page.getByRole("link", { name: "in_between" }).waitFor();
  }, testMsMax);

  test("a filter narrows the list, and its address shows the same again", async () => {
    const at = await project("narrow", booking);
    await using visited = await visit(browser, `${server.url}/${at}`);
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
    const at = await project("drawer", booking);
    await using visited = await visit(browser, `${server.url}/${at}`);
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
    await drawer.getByText("No seats on that day").waitFor();
    await page.goBack();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
