// /settings/data against a real server in a real browser: retention set after what it deletes was
// told, and a user looked at, exported and erased.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

const event = (event_id: string, more: Record<string, unknown>) => ({
  event_id,
  event_type: "prompt_call",
  model: "m",
  ...more,
});

describe.skipIf(chromiumPath === null)("page: data", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  test("retention is set after what goes was told", async () => {
    const old = new Date(Date.now() - 5 * 24 * 3_600_000).toISOString();
    const at = await site.project("kept", [
      event("old", { timestamp: old, env: "dev" }),
      event("new", {}),
    ]);
    await using visited = await visit(site.browser, `${site.url}/settings/data?${at}`, {
      viewport: phone,
    });
    const { page } = visited;
    await page.getByRole("button", { name: "Add an environment" }).click();
    const form = page.getByRole("form", { name: "Retention" });
    await form.getByLabel("Environment").fill("dev");
    await form.getByLabel("Days").nth(1).fill("2");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("1 event older than that will be deleted").waitFor();
    expect(await overflowing(page)).toEqual([]);
    await form.getByRole("button", { name: "Save, and delete them" }).click();
    await form.getByRole("button", { name: "Save, and delete them" }).waitFor({
      state: "detached",
    });
    const set = await site.get<Record<string, unknown>>("/api/retention?project_id=kept");
    expect(set).toMatchObject({ days: null, environments: { dev: 2 } });
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("a user is looked at, exported and erased, and stands in the record", async () => {
    const at = await site.project("people", [
      event("a", { user_id: "ann-1" }),
      event("b", { user_id: "bob-1" }),
    ]);
    await using visited = await visit(site.browser, `${site.url}/settings/data?${at}`);
    const { page } = visited;
    const form = page.getByRole("form", { name: "Erase or export" });
    await form.getByLabel("Its id").fill("ann-1");
    await form.getByRole("button", { name: "Look" }).click();
    await form.getByText("1 event, 0 data points.").waitFor();
    const loading = page.waitForEvent("download");
    await form.getByRole("link", { name: "Export" }).click();
    const text = await Bun.file(await (await loading).path()).text();
    expect(text.trim().split("\n").map((line) => Object.keys(JSON.parse(line))[0]))
      .toEqual(["export", "event", "end"]);
    await form.getByRole("button", { name: "Erase for good" }).click();
    const record = page.getByRole("region", { name: "Erasures" });
    await record.getByRole("cell", { name: "user ann-1" }).waitFor();
    await record.getByRole("cell", { name: "done", exact: true }).waitFor();
    const { events } = await site.get<{ events: { event_id: string }[] }>(
      "/api/events?project_id=people",
    );
    expect(events.map(({ event_id }) => event_id)).toEqual(["b"]);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
