// Metrics of OpenTelemetry on the page: as charts by attribute, and in SQL.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromiumPath, overflowing, phone, visit, wide } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;
const visibleMsMax = 10_000;

const startMs = Date.now() - 20 * 60_000;
const nanos = (minute: number) => String(BigInt(startMs + minute * 60_000) * 1_000_000n);
const attributes = (given: Record<string, string>) =>
  Object.entries(given).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const minutes = Array.from({ length: 15 }, (_, minute) => minute + 1);

const tokens = (type: string, aMinute: number) =>
  minutes.map((minute) => ({
    startTimeUnixNano: nanos(0),
    timeUnixNano: nanos(minute),
    asInt: String(aMinute * minute),
    attributes: attributes({ type }),
  }));

const metrics = [
  {
    name: "claude_code.token.usage",
    unit: "tokens",
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [...tokens("input", 100), ...tokens("output", 10)],
    },
  },
  {
    name: "gen_ai.client.operation.duration",
    unit: "s",
    histogram: {
      aggregationTemporality: 1,
      dataPoints: minutes.map((minute) => ({
        startTimeUnixNano: nanos(minute - 1),
        timeUnixNano: nanos(minute),
        count: "4",
        sum: 6,
        explicitBounds: [1, 2],
        bucketCounts: ["2", "2", "0"],
      })),
    },
  },
  {
    name: "gpu.temperature",
    unit: "Cel",
    gauge: { dataPoints: minutes.map((minute) => ({ timeUnixNano: nanos(minute), asInt: "-4" })) },
  },
];
const exported = {
  resourceMetrics: [{
    resource: { attributes: attributes({ "service.name": "claude-code" }) },
    scopeMetrics: [{ scope: { name: "meter" }, metrics }],
  }],
};

describe.skipIf(chromiumPath === null)("page: metrics", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, testMsMax);
  afterAll(async () => await site?.[Symbol.asyncDispose](), testMsMax);

  async function measured(project_id: string, events: object[] = []): Promise<string> {
    const at = await site.project(project_id, events);
    const response = await site.post(`/v1/projects/${project_id}/v1/metrics`, exported);
    expect(response.status).toBe(200);
    const deadline = performance.now() + visibleMsMax;
    for (;;) {
      const { names } = await site.get<{ names: unknown[] }>(
        `/api/points/names?project_id=${project_id}`,
      );
      if (names.length === metrics.length) return at;
      if (performance.now() > deadline) throw new Error("The metrics are not visible.");
      await Bun.sleep(20);
    }
  }

  for (const [name, viewport] of [["wide", wide], ["phone", phone]] as const) {
    test(`a metric is found, shown, and grouped by an attribute, ${name}`, async () => {
      const at = await measured(`measured-${name}`, [{ event_id: "one", event_type: "span" }]);
      await using visited = await visit(site.browser, `${site.url}/charts?${at}&since=-1h`, {
        viewport,
      });
      const { page } = visited;
      await page.getByRole("tab", { name: "Metrics" }).click();
      await page.getByRole("combobox", { name: "Group by" }).selectOption("type");
      const whole = page.getByRole("region", { name: "Whole range" });
      await whole.getByRole("row", { name: /^input 1,500 tokens/ }).waitFor();
      await whole.getByRole("row", { name: /^output 150 tokens/ }).waitFor();
      expect(new URL(page.url()).searchParams.get("by")).toBe("type");
      expect(await page.locator(".chart canvas").count()).toBe(1);
      await page.getByText("Numbers minute by minute").click();
      expect(await page.getByRole("region", { name: "Over time" }).getByRole("row").count())
        .toBeGreaterThan(2 * 14);
      await page.getByRole("combobox", { name: "Metric" })
        .selectOption("gen_ai.client.operation.duration");
      await whole.getByRole("row", { name: /^all 60 / }).waitFor();
      await page.getByText("60 · per minute", { exact: true }).waitFor();
      expect(await page.locator(".chart canvas").count()).toBe(2);
      await page.getByRole("combobox", { name: "Metric" }).selectOption("gpu.temperature");
      await whole.getByText("-4 Cel").first().waitFor();
      expect(await overflowing(page)).toEqual([]);
      expect(visited.complaints).toEqual([]);
    }, testMsMax);
  }

  test("a project without metrics has no tab for them", async () => {
    const at = await site.project("none", [{ event_id: "one", event_type: "span" }]);
    await measured("others");
    await using visited = await visit(site.browser, `${site.url}/charts?${at}`);
    const { page } = visited;
    const asked = page.waitForResponse((response) => response.url().includes("/api/points/names"));
    await page.locator(".chart").first().waitFor();
    await (await asked).finished();
    expect(await page.getByRole("tab", { name: "Metrics" }).count()).toBe(0);
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("metrics without any event are found from the start page", async () => {
    const at = await measured("only");
    await using visited = await visit(site.browser, `${site.url}/?${at}`);
    const { page } = visited;
    await page.getByRole("link", { name: "see them" }).click();
    await page.getByRole("region", { name: "Whole range" }).getByText("1,650 tokens").waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("SQL knows both views and their columns", async () => {
    const at = await measured("sql");
    await using visited = await visit(site.browser, `${site.url}/sql?${at}`);
    const { page } = visited;
    await page.getByRole("button", { name: "Metrics by name" }).click();
    const answer = page.getByRole("region", { name: "Answer" });
    await answer.getByRole("row", { name: /^claude_code.token.usage sum tokens 30 2 / }).waitFor();
    await page.getByText("Columns of metrics").click();
    await page.getByRole("textbox", { name: "SQL" }).fill("");
    await page.getByRole("button", { name: "series_id" }).click();
    expect(await page.getByRole("textbox", { name: "SQL" }).inputValue()).toBe("series_id");
    expect(visited.complaints).toEqual([]);
  }, testMsMax);
});
