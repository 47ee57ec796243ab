// What programs and models send is hostile until proven otherwise: on the page it is text, whatever
// it says. And the page fits a phone, whatever it shows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;
const answerMsMax = 5000;

const image = `<img src=x onerror="document.title='owned';alert(1)">`;
const script = `<script>document.title='owned'</script>`;
const elsewhere = "http://attacker.invalid/pixel.png";
const links =
  `[press](javascript:alert(1)) javascript:alert(1) <a href="javascript:alert(1)">x</a> `;
const long = "unbroken".repeat(400);

const hostile = {
  event_id: `e"><img src=x>/?#%2F`,
  run_id: "r/../<b>?#%",
  event_type: "prompt_call",
  name: image,
  model: script,
  provider: "__proto__",
  user_id: "constructor",
  session_id: `"; DROP TABLE events; --`,
  release: long.slice(0, 1000),
  env: "\u202Eevil\u202C",
  tags: [image, "javascript:alert(1)", 'a,b "c"'],
  status: "error",
  error: { message: image + links, type: script, code: image, stack: `at ${script}\n${long}` },
  prompt: [
    { role: "system", name: image, content: script },
    { role: "<b>user</b>", content: `${image}\n${links}\n\`\`\`html\n${script}\n\`\`\`` },
    { role: "constructor", content: [{ type: "image_url", image_url: { url: elsewhere } }] },
    { role: "user", content: [{ type: "image", source: `data:text/html,${script}` }] },
    { role: "user", content: `![picture](${elsewhere}) ${long}` },
  ],
  response: `${script} https://example.invalid/"onmouseover="alert(1) ${image}`,
  tool_calls: [{
    id: image,
    function: { name: script, arguments: `{"__proto__":{"x":1},"u":"${elsewhere}"}` },
  }],
  attributes: { [image]: script, url: "javascript:alert(1)", wide: long },
  timestamp: new Date(Date.now() - 60_000).toISOString(),
  latency_ms: 1e15,
  tokens_input: Number.MAX_SAFE_INTEGER,
};

/** Elements and addresses that only data could have brought. */
const smuggled = (page: Page) =>
  page.evaluate(() => {
    const found = [
      ...document.querySelectorAll("img, iframe, object, embed, form[action], body script, style"),
    ]
      .map((element) => element.outerHTML.slice(0, 200));
    for (const element of document.querySelectorAll("body *")) {
      for (const { name } of element.attributes) {
        if (name.startsWith("on")) found.push(`${element.tagName} ${name}`);
      }
    }
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[href]")) {
      if (link.origin === location.origin) continue;
      const isSafe = /^https?:$/.test(link.protocol) && link.relList.contains("noopener");
      if (!isSafe) found.push(link.outerHTML.slice(0, 200));
    }
    if (document.title.includes("owned")) found.push(document.title);
    return found;
  });

const deep = (levels: number): unknown => levels === 0 ? "bottom" : { down: deep(levels - 1) };

describe.skipIf(chromiumPath === null)("page, hostile events", () => {
  let site: Site;
  let at = "";
  beforeAll(async () => {
    site = await openSite();
    at = await site.project("hostile", [hostile]);
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  const event = encodeURIComponent(hostile.event_id);
  const run = encodeURIComponent(hostile.run_id);
  const places: [name: string, path: () => string, shown: string][] = [
    ["the list", () => `/?${at}`, image],
    ["an event", () => `/?${at}&event=${event}`, "javascript:alert(1)"],
    ["the runs", () => `/runs?${at}`, image],
    ["a run", () => `/runs/${run}?${at}`, image],
    ["a run as a conversation", () => `/runs/${run}?${at}&view=chat`, script],
    ["the charts", () => `/charts?${at}&group_by=model`, script],
    ["a filter", () => `/?${at}&filter=${encodeURIComponent(image)}`, "1 event"],
    ["the SQL", () => `/sql?${at}&sql=${encodeURIComponent(script)}`, "Run"],
  ];
  for (const [name, path, shown] of places) {
    for (const [size, viewport] of [["wide", undefined], ["phone", phone]] as const) {
      test(`${name} is inert and fits, ${size}`, async () => {
        const options = viewport === undefined ? {} : { viewport };
        await using visited = await visit(site.browser, site.url + path(), options);
        const { page } = visited;
        await page.getByText(shown).first().waitFor({ state: "attached" });
        for (const fold of await page.getByText("Stack", { exact: true }).all()) await fold.click();
        expect(await smuggled(page)).toEqual([]);
        expect(await overflowing(page)).toEqual([]);
        expect(visited.complaints).toEqual([]);
      }, testMsMax);
    }
  }

  test("a megabyte of text is cut until asked for, and the page goes on answering", async () => {
    const text = "All work and no play. ".repeat(50_000);
    await site.send("hostile", [{
      event_id: "big",
      event_type: "prompt_call",
      prompt: "go",
      response: text,
    }]);
    await using visited = await visit(site.browser, `${site.url}/?${at}&event=big`);
    const { page } = visited;
    const drawer = page.getByRole("dialog", { name: "Event" });
    const more = drawer.getByRole("button", { name: /Show all/ });
    await more.waitFor();
    expect((await drawer.innerText()).length).toBeLessThan(100_000);
    const began = performance.now();
    await more.click();
    await drawer.getByRole("button", { name: "Show less" }).waitFor();
    expect(await drawer.innerText()).toContain(text.trim());
    expect(performance.now() - began).toBeLessThan(answerMsMax);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("JSON as deep as the server takes opens level by level; deeper is refused", async () => {
    const refused = await site.post("/v1/projects/hostile/events", [
      { event_id: "too-deep", event_type: "span", attributes: deep(2000) },
    ]);
    expect(refused.status).toBe(400);
    await site.send("hostile", [{ event_id: "deep", event_type: "span", attributes: deep(50) }]);
    await using visited = await visit(site.browser, `${site.url}/?${at}&event=deep`, {
      viewport: phone,
    });
    const { page } = visited;
    const drawer = page.getByRole("dialog", { name: "Event" });
    const closed = drawer.locator(".json [aria-expanded=false]");
    await closed.first().waitFor();
    while (await closed.count() > 0) await closed.first().click();
    await drawer.getByText("bottom").first().waitFor({ state: "attached" });
    expect(await overflowing(page)).toEqual([]);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("the range of time opens inside a phone's window", async () => {
    await using visited = await visit(site.browser, `${site.url}/?${at}`, { viewport: phone });
    const { page } = visited;
    await page.getByRole("list", { name: "Events" }).waitFor();
    await page.locator(".range-now").click();
    const panel = page.getByRole("dialog", { name: "Range of time" });
    const box = await panel.boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(phone.height);
    // A click lands on it, not on what lies over it.
    await panel.getByRole("button", { name: "All time" }).click();
    await page.waitForURL(/since=all/);
    await panel.waitFor({ state: "detached" });
    expect(await overflowing(page)).toEqual([]);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
