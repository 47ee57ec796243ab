// Alerts in a browser: a rule from a template with its preview, a channel that is tried, an alert that
// fires, is told and ended; wide and on a phone, light and dark.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startReceiver } from "../notify/receiver.ts";
import { chromiumPath, overflowing, phone, visit } from "./browser.ts";
import { openSite, type Site } from "./site.ts";

const testMsMax = 60_000;

describe.skipIf(chromiumPath === null)("page: alerts", () => {
  let site: Site;
  const receiver = startReceiver();
  beforeAll(async () => {
    site = await openSite({
      env: { WATCHLLM_ALLOW_PRIVATE_WEBHOOKS: "true", WATCHLLM_ALERT_INTERVAL_S: "1" },
    });
  }, testMsMax);
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await receiver.stop();
  });

  /** Calls of the last minutes, of which every second failed. */
  async function sendFailures(project: string): Promise<void> {
    const nowMs = Date.now();
    const events = Array.from({ length: 60 }, (_, at) => ({
      event_type: "prompt_call",
      model: "gpt-5",
      env: "production",
      status: at % 2 === 0 ? "error" : "success",
      timestamp: new Date(nowMs - at * 3000).toISOString(),
    }));
    await site.post(`/v1/projects/${project}/events`, events);
  }

  test("from nothing to an alert that is told and ended", async () => {
    const at = await site.project("shop");
    await sendFailures("shop");
    await using visited = await visit(site.browser, `${site.url}/alerts?${at}`);
    const { page } = visited;
    await page.getByText("Nothing is watched yet.").waitFor();

    await page.getByRole("tab", { name: "Channels" }).click();
    await page.getByRole("button", { name: "New channel" }).click();
    await page.getByRole("combobox", { name: /^Kind/ }).selectOption("Webhook");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("On call");
    await page.getByRole("textbox", { name: "URL", exact: true }).fill(`${receiver.url}/alerts`);
    await page.getByLabel("Secret, to sign with").fill("a-secret-typed-once");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByText("Delivered (200).").waitFor();
    expect(await page.content()).not.toContain("a-secret-typed-once");

    await page.getByRole("tab", { name: "Rules" }).click();
    await page.getByRole("link", { name: "New rule" }).first().click();
    await page.getByRole("link", { name: /^Error rate More/ }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("<b>Failing</b> calls");
    await page.getByLabel("Only events with").fill("env:production");
    const preview = page.getByRole("region", { name: "Preview" });
    await preview.getByText(/It would have fired 1 time/).waitFor();
    await preview.locator("canvas").first().waitFor();
    await page.getByLabel("Warning, %").fill("90");
    await page.getByLabel("Critical, %").fill("95");
    await page.getByLabel("Well again at, %").fill("");
    await preview.getByText("It would not have fired.").waitFor();
    await page.getByLabel("Warning, %").fill("5");
    await page.getByLabel("Critical, %").fill("20");
    await page.getByLabel(/^On call/).check();
    await page.getByLabel("Steps, one a line").fill("Look at the provider.\nSwitch the model.");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Error rate of env production over 5 min > 5.0% (critical > 20%)")
      .waitFor();
    await page.getByText("tells On call").waitFor();

    await page.getByRole("tab", { name: "Alerts" }).click();
    await page.getByRole("link", { name: "<b>Failing</b> calls" }).waitFor();
    await page.getByText("50%, threshold 20%").waitFor();
    await page.getByText("Runbook").click();
    await page.getByText("Switch the model.").waitFor();
    await page.getByTitle("1 firing").waitFor();

    await page.getByRole("tab", { name: "Deliveries" }).click();
    await page.getByText("delivered").nth(1).waitFor();
    await page.getByRole("tab", { name: "Alerts" }).click();
    await page.getByRole("button", { name: "Resolve" }).click();
    await page.getByText("Nothing fires.").waitFor();
    await page.locator(".level-over").waitFor();
    await page.getByRole("link", { name: "Events" }).last().click();
    await page.getByText("30 events").waitFor();
    expect(visited.complaints).toEqual([]);
  }, testMsMax);

  test("errors in production to a webhook: one template, one field, one channel", async () => {
    const at = await site.project("minute");
    await sendFailures("minute");
    await using visited = await visit(site.browser, `${site.url}/alerts?${at}`);
    const { page } = visited;
    await page.getByRole("link", { name: /^Error rate More/ }).click();
    await page.getByLabel("Only events with").fill("production");
    await page.getByText('"production" is not of the form field:value').first().waitFor();
    await page.getByLabel("Only events with").fill("env:production");
    await page.getByLabel("Warning, %").fill("50");
    // What the server refuses stands beside its field.
    const critical = page.getByLabel("Warning, %").locator("..");
    await page.getByLabel("Critical, %").fill("5");
    await critical.getByText(/^the critical value must be further out/).waitFor();
    await page.getByLabel("Warning, %").fill("");
    await page.getByLabel("Well again at, %").fill("");
    await page.getByRole("button", { name: "Add a channel" }).click();
    const dialog = page.getByRole("dialog", { name: "New channel" });
    await dialog.getByLabel(/^Kind/).selectOption("Webhook");
    await dialog.getByLabel("Name").fill("<i>Hook</i>");
    await dialog.getByLabel("URL", { exact: true }).fill(`${receiver.url}/minute`);
    await dialog.getByText("Words of your own").click();
    await dialog.getByLabel("Title").fill("Mind {{rule}}");
    await dialog.getByRole("button", { name: "Add" }).click();
    await dialog.waitFor({ state: "detached" });
    // What was typed is still there, and the channel is chosen.
    expect(await page.getByLabel(/^<i>Hook/).isChecked()).toBe(true);
    expect(await page.getByLabel("Only events with").inputValue()).toBe("env:production");
    await page.getByRole("button", { name: "Add a one-click action" }).click();
    await page.getByLabel("Button says").fill("Hush");
    await page.getByRole("button", { name: "Create" }).click();
    const told = await receiver.until(({ json }) => json.title === "Mind Error rate");
    expect(told.json).toMatchObject({ kind: "firing", level: "critical" });

    // A channel that is changed keeps what is not shown of it, and gives up what was emptied.
    await page.getByRole("tab", { name: "Channels" }).click();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Hook");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Hook", { exact: true }).waitFor();
    const { channels } = await site.get<{ channels: object[] }>("/api/channels?project_id=minute");
    expect(channels).toMatchObject([{ name: "Hook", message: { title: "Mind {{rule}}" } }]);

    await page.getByRole("tab", { name: "Alerts" }).click();
    await page.getByLabel("Level").selectOption("warning");
    await page.getByText("No such alert.").waitFor();
    await page.getByLabel("Level").selectOption("critical");
    await page.getByRole("button", { name: "Hush" }).click();
    await page.getByText("muted", { exact: true }).waitFor();
    await page.getByRole("button", { name: "End the snooze" }).click();
    await page.getByText("muted", { exact: true }).waitFor({ state: "detached" });
    // The browser's line for what was refused.
    expect(visited.complaints.filter((one) => !one.includes("400"))).toEqual([]);
  }, testMsMax);

  test("a rule is changed, silenced, turned off and deleted; a broken one says why", async () => {
    const at = await site.project("broken");
    await site.post("/api/rules", {
      project_id: "broken",
      name: "Broken",
      // It can be asked, until an event has a name that is no number.
      sql: "SELECT CAST(name AS INTEGER) AS value FROM events",
      critical: 1,
    });
    await site.post("/v1/projects/broken/events", [{ event_type: "span", name: "nothing" }]);
    await using visited = await visit(site.browser, `${site.url}/alerts/rules?${at}`);
    const { page } = visited;
    await page.getByText(/^Cannot be looked at: /).waitFor();
    await page.getByRole("link", { name: "Broken" }).click();
    const preview = page.getByRole("region", { name: "Preview" });
    await preview.locator(".row-error").waitFor();
    await page.getByRole("textbox", { name: /^SQL/ }).fill(
      "SELECT 0 AS value",
    );
    await page.getByRole("button", { name: "Add a mute window" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByLabel("Snooze").selectOption("60 min");
    await page.getByText(/^snoozed until/).waitFor();
    await page.getByRole("button", { name: "End the snooze" }).click();
    await page.getByText(/^snoozed until/).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Turn off" }).click();
    await page.getByText("off", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Broken" }).click();
    expect(await page.getByLabel("From").inputValue()).toBe("22:00");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("0 rules").waitFor();
    // The browser's line for what was refused.
    expect(visited.complaints.filter((one) => !one.includes("400"))).toEqual([]);
  }, testMsMax);

  const looks = [
    ["wide, light", {}],
    ["phone, dark", { viewport: phone, dark: true }],
  ] as const;
  for (const [name, options] of looks) {
    test(`every page of alerts fits, ${name}`, async () => {
      const at = await site.project(`fits-${name.slice(0, 4)}`);
      await site.post("/api/rules", {
        project_id: `fits-${name.slice(0, 4)}`,
        name: "x".repeat(180),
        metric: "cost_usd",
        group_by: "model",
        critical: 1,
      });
      for (
        const path of [
          "",
          "/rules",
          "/rules/new",
          "/rules/new?template=latency_spike",
          "/channels",
          "/deliveries",
          "/nowhere",
        ]
      ) {
        await using visited = await visit(
          site.browser,
          `${site.url}/alerts${path}${path.includes("?") ? "&" : "?"}${at}`,
          options,
        );
        const { page } = visited;
        await page.locator("main").waitFor();
        await page.getByText(/Alerts|New rule|no such page/).first().waitFor();
        expect([path, await overflowing(page)]).toEqual([path, []]);
        expect(visited.complaints).toEqual([]);
      }
    }, testMsMax);
  }
});
