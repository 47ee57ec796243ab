// Words of a channel's own: what stands in their places, and what is no place.
import { describe, expect, test } from "bun:test";
import { channelSchema } from "../../src/notify/channels.ts";
import { messageSchema, withMessage } from "../../src/notify/message.ts";
import { alert, notification } from "./fixture.ts";

describe("a text with places", () => {
  const cases: [text: string, filled: string][] = [
    ["{{rule}} is {{level}} in {{project}}", "Errors <b> & *co* is critical in shop"],
    ["{{ value }} of {{threshold}}", "25 % of 20 %"],
    ["{{labels}}; {{label.model}}, {{label.team}}", "model gpt-5; gpt-5, shop"],
    ["{{label.nobody}}.", "."],
    ["{{label.constructor}}.", "."],
    ["{{kind}} at {{time}}, {{count}} in all", "firing at 2026-01-31T12:00:00.000Z, 1 in all"],
    ["{{description}} {{runbook}}", "Customers wait. https://example.com/runbook"],
    ["no place { at } all", "no place { at } all"],
  ];
  test.each(cases)("%s", (text, filled) => {
    const told = withMessage(notification(), messageSchema.parse({ text }));
    expect([told.text, told.alerts[0]!.text]).toEqual([filled, filled]);
    expect(told.title).toBe(notification().title);
  });
});

test("each alert has its own words, and the title none of another line", () => {
  const alerts = ["a", "b"].map((model) => alert({ id: model, labels: { model } }));
  const message = messageSchema.parse({
    title: "{{label.model}}\n{{title}}",
    text: "{{label.model}}!",
  });
  const told = withMessage(notification("firing", alerts), message);
  expect(told.alerts.map(({ text }) => text)).toEqual(["a!", "b!"]);
  expect(told.title).toBe("a Critical: Errors <b> & *co* (model a and 1 more)");
});

test("what events say is not looked at for places, and begins no line", () => {
  const hostile = alert({ labels: { model: "{{project}}\r\nBcc: a@b.c" } });
  const told = withMessage(notification("firing", [hostile]), { text: "{{label.model}}" });
  expect(told.text).toBe("{{project}} Bcc: a@b.c");
});

test("without words of its own a channel tells as ever", () => {
  expect(withMessage(notification(), undefined)).toEqual(notification());
  expect(withMessage(notification("test"), { text: "{{rule}} {{value}}" }).text)
    .toBe("Errors <b> & *co* ");
});

test.each(["{{nothing}}", "{{}}", "{{__proto__}}", "{{label.}}", ""])("%j is refused", (text) => {
  const channel = { type: "slack", name: "x", url: "https://example.com/", message: { text } };
  expect(channelSchema.safeParse(channel).success).toBe(false);
});
