// Monitors in a browser: set, tried, checked, read, changed, deleted; wide and on a phone, light and dark.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { completion, type Endpoint, startEndpoint } from "../monitor/endpoint.ts";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

describe.skipIf(chromiumPath === null)("monitors", () => {
  let site: Site;
  let endpoint: Endpoint;
  let answer = "<b>Lyon</b>, <script>alert(1)</script> I think.";
  beforeAll(async () => {
    site = await openSite({ env: { WATCHLLM_ALLOW_PRIVATE_WEBHOOKS: "true" } });
    endpoint = startEndpoint(({ path }) =>
      path === "/health" ? Response.json({ ok: true }) : completion(answer)
    );
  }, testMsMax);
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await endpoint.stop();
  });

  test("one is set, tried before it is kept, checked, and leads to its runs", async () => {
    const at = await site.project("capital");
    await using visited = await visit(site.browser, `${site.url}/monitors?${at}`);
    const { page } = visited;
    await page.getByText("Nothing is checked yet.").waitFor();
    await page.getByRole("link", { name: "New monitor" }).click();
    await page.getByLabel("Name").fill("Capital");
    await page.getByLabel("Base URL").fill(`${endpoint.url}/v1`);
    await page.getByLabel("Model").fill("gpt-4o-mini");
    await page.getByLabel("API key").fill("sk-typed-once-only");
    await page.getByLabel("Prompt").fill("Capital of France?");
    await page.getByLabel("Further headers").fill("x-team: a-secret-team");
    await page.getByRole("checkbox", { name: /^Ask for a stream/ }).check();
    await page.getByLabel("Text", { exact: true }).fill("Paris");
    await page.getByRole("button", { name: "Add an assertion" }).click();
    await page.getByRole("combobox", { name: /^What/ }).nth(1).selectOption("Cost");
    await page.getByLabel("At most, US dollars").fill("0.01");
    await page.getByRole("button", { name: "Try it now" }).click();
    const tried = page.getByRole("region", { name: "What came of it" });
    await tried.getByText("status 200").waitFor();
    await tried.getByText('contains "Paris"').waitFor();
    await tried.getByText("costs at most $0.01").waitFor();
    // What a model says is text.
    await tried.getByText("<script>alert(1)</script>").first().waitFor();
    const verdicts = await tried.locator("li").evaluateAll((all) => all.map((li) => li.className));
    expect(verdicts).toEqual(["verdict-false", "verdict-true"]);
    await page.getByLabel("Further attempts").fill("0");
    await page.getByLabel("Alert after failures in a row").fill("1");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Capital", level: 1 }).waitFor();
    const checks = page.getByRole("region", { name: "Checks" });
    await checks.getByText('Not so: contains "Paris".').waitFor();
    await page.getByText("alert", { exact: true }).waitFor();
    await page.getByText("API key, header x-team").waitFor();
    expect(endpoint.asked.some(({ json }) => json.stream === true)).toBe(true);
    answer = "Paris.";
    await page.getByRole("button", { name: "Check now" }).click();
    await checks.getByText("2 assertions hold.").waitFor();
    await page.getByText("50%").first().waitFor();
    expect(await page.content()).not.toMatch(/sk-typed-once|a-secret-team/);
    await checks.getByRole("link", { name: "Run" }).first().click();
    await page.waitForURL(/\/runs\/chk_/);
    await page.getByRole("heading", { name: "Capital", level: 1 }).waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("one is changed, paused, resumed and deleted", async () => {
    const at = await site.project("health");
    await site.post("/api/monitors", {
      project_id: "health",
      name: "Health",
      type: "http",
      url: `${endpoint.url}/health`,
      api_key: "k-1",
      headers: { "x-a": "1" },
      assertions: [{ type: "json_path", path: "$.ok", equals: true }, {
        type: "regex",
        pattern: "OK",
        flags: "i",
        not: true,
        of: "body",
      }],
    });
    await using visited = await visit(site.browser, `${site.url}/monitors?${at}`);
    const { page } = visited;
    await page.getByText("1 monitor, 1 failing").waitFor();
    await page.getByRole("link", { name: "Health" }).click();
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Remove assertion 2" }).click();
    await page.getByRole("button", { name: "Remove header x-a" }).click();
    await page.getByLabel("Every, minutes").fill("60");
    await page.getByLabel("Name").fill("Health of the gateway");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Health of the gateway" }).waitFor();
    await page.getByText("$.ok is true", { exact: true }).waitFor();
    await page.getByText("every hour, 2 attempts of at most 30 s").waitFor();
    await page.getByRole("region", { name: "Checks" }).getByText("1 assertion holds.").waitFor();
    const [stored] = (await site.get<{ monitors: Record<string, unknown>[] }>(
      "/api/monitors?project_id=health",
    )).monitors;
    expect(stored).toMatchObject({ secrets: ["api_key"], interval_minutes: 60 });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused: it is not checked.").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("Nothing is checked yet.").waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("what cannot be kept or reached is told in words", async () => {
    const at = await site.project("wrong");
    await using visited = await visit(site.browser, `${site.url}/monitors/new?${at}`);
    const { page } = visited;
    await page.getByRole("radio", { name: "HTTP" }).check();
    await page.getByLabel("Name").fill("Wrong");
    await page.getByLabel("URL").fill("http://127.0.0.1:9/health");
    await page.getByRole("combobox", { name: /^What/ }).selectOption("JSON at a path");
    await page.getByRole("textbox", { name: "Path" }).fill("$..a");
    const tried = page.getByRole("region", { name: "What came of it" });
    const tryIt = page.getByRole("button", { name: "Try it now" });
    await tryIt.click();
    await tried.getByText("assertions.0.path: is no path such as $.items[0].name.").waitFor();
    await page.getByRole("textbox", { name: "Path" }).fill("$.a");
    await page.getByRole("textbox", { name: /^Equals/ }).fill("{");
    await tryIt.click();
    await tried.getByText("$.a equals: this is no JSON.").waitFor();
    await page.getByRole("textbox", { name: /^Equals/ }).fill("1");
    await tryIt.click();
    await tried.getByText("127.0.0.1:9 cannot be reached: ECONNREFUSED.").waitFor();
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("no answer").first().waitFor();
    // The browser's line for what was refused.
    expect(visited.complaints.filter((one) => !one.includes("400"))).toEqual([]);
  }, testMsMax);

  test("list, monitor and form fit a phone, and are dark when the system is", async () => {
    const at = await site.project("phone");
    const made = await site.post("/api/monitors", {
      project_id: "phone",
      name: "A name that is rather long, as names of monitors that say what they check are",
      type: "openai",
      url: `${endpoint.url}/v1/a-long-path-that-has-no-place-to-break-anywhere-in-it`,
      model: "a-model-with-a-long-name-2026-01-31-preview",
      prompt: "Capital of France?",
      retries: 0,
      assertions: [{ type: "json_shape", shape: { answer: "string", sources: ["string"] } }],
    });
    const { id } = await made.json() as { id: string };
    for (const path of ["", `/${id}`, `/${id}/edit`]) {
      await using visited = await visit(site.browser, `${site.url}/monitors${path}?${at}`, {
        viewport: phone,
        dark: true,
      });
      const { page } = visited;
      await page.getByText(/A name that is rather long/).first().waitFor();
      expect([path, await overflowing(page)]).toEqual([path, []]);
      expect(visited.complaints).toEqual([]);
    }
  }, testMsMax);
});
