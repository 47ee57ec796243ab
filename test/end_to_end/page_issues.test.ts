// The pages of issues against a real server in a real browser.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;
const minute = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString();

const failed = (tool: string, ago: number, more: object = {}) => ({
  event_type: "tool_call",
  tool_name: tool,
  status: "error",
  run_id: `run-${tool}-${ago}`,
  user_id: `user-${ago % 3}`,
  release: "1.4.0",
  env: "production",
  error: { type: "NotFound", message: `Order ${ago * 7919} not found` },
  timestamp: minute(ago),
  ...more,
});
const many = [
  ...[3, 5, 8, 13, 21, 34].map((ago) => failed("find_order", ago)),
  failed("refund", 12),
  {
    event_type: "prompt_call",
    model: "gpt-5",
    provider: "openai",
    name: "summarise",
    finish_reason: "length",
    response: "It was a dark and",
    timestamp: minute(4),
  },
];

describe.skipIf(chromiumPath === null)("page: issues", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  test("failures are listed, searched, opened, and their run is a click away", async () => {
    const at = await site.project("listed", many);
    await using visited = await visit(site.browser, `${site.url}/issues?${at}`);
    const { page } = visited;
    const rows = page.getByRole("list", { name: "Issues" }).getByRole("listitem");
    await page.getByText("3 issues").waitFor();
    expect(await rows.count()).toBe(3);
    await page.getByLabel("Sort").selectOption("events");
    await rows.first().getByText("find_order").waitFor();
    await page.getByRole("searchbox", { name: "Find an issue" }).fill("refund");
    await page.getByText("1 issue", { exact: true }).waitFor();
    await page.getByRole("searchbox", { name: "Find an issue" }).fill("find_order");
    await rows.first().getByText("find_order").waitFor();
    await page.getByRole("link", { name: "NotFound: Order <num> not found" }).click();
    await page.getByRole("heading", { name: "Runs it hit last" }).waitFor();
    await page.getByText(`Order ${3 * 7919} not found`).waitFor();
    await page.getByRole("link", { name: "Run run-find_order-3", exact: true }).click();
    await page.waitForURL(/\/runs\/run-find_order-3/);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("one is resolved, comes back, is assigned and merged", async () => {
    const at = await site.project("changed", many);
    const { issues } = await site.get<{ issues: { id: string; place: string }[] }>(
      "/api/issues?project_id=changed",
    );
    const { id } = issues.find(({ place }) => place === "find_order")!;
    await using visited = await visit(site.browser, `${site.url}/issues/${id}?${at}`);
    const { page } = visited;
    await page.getByRole("button", { name: "Resolve", exact: true }).click();
    await page.getByText("any later failure brings it back").waitFor();
    await site.send("changed", [failed("find_order", 0, { release: "1.5.0" })]);
    await page.getByText("It was resolved, and came back").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Resolve in next release" }).click();
    await page.getByText("a later release than 1.5.0").waitFor();
    const form = page.getByRole("form", { name: "Who and what" });
    await form.getByLabel("Assigned to").fill("ann");
    await form.getByLabel("Note").fill("the index was stale");
    await form.getByRole("button", { name: "Save" }).click();
    await page.waitForFunction(() => document.querySelector("form button:disabled") !== null);
    await page.getByRole("button", { name: "Merge another issue into this one" }).click();
    await page.getByLabel("Issue to merge into this one").selectOption({
      label: "NotFound: Order <num> not found · refund",
    });
    await page.getByRole("button", { name: "Merge", exact: true }).click();
    await page.getByRole("button", { name: "Take out" }).waitFor();
    expect(await site.get(`/api/issues/${id}?project_id=changed`)).toMatchObject({
      state: "resolved",
      assignee: "ann",
      note: "the index was stale",
      events: 8,
    });
    await page.getByRole("button", { name: "Take out" }).click();
    await page.getByRole("button", { name: "Take out" }).waitFor({ state: "detached" });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("on a phone nothing is cut off, and nothing of a failure runs", async () => {
    const at = await site.project("narrow", [
      ...many,
      failed("x".repeat(200), 2, {
        error: {
          type: "<img src=x onerror=alert(1)>",
          message: `<script>alert(1)</script> ${"y".repeat(900)}`,
        },
        run_id: "long",
        user_id: "u".repeat(120),
        release: "r".repeat(300),
      }),
    ]);
    await using visited = await visit(site.browser, `${site.url}/issues?${at}`, {
      viewport: phone,
    });
    const { page } = visited;
    await page.getByText("4 issues").waitFor();
    expect(await overflowing(page)).toEqual([]);
    await page.getByRole("link", { name: /onerror/ }).click();
    await page.getByRole("heading", { name: "Runs it hit last" }).waitFor();
    expect(await overflowing(page)).toEqual([]);
    await page.goto(`${site.url}/issues?${await site.project("empty-issues")}`);
    await page.getByText("No issue here.").waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
