// A rule goes through the form and comes back as it was; what is typed wrong is told in words.
import { describe, expect, test } from "bun:test";
import { ruleSchema } from "../../src/alert/rule.ts";
import { templates } from "../../src/alert/templates.ts";
import type { RuleFields } from "../../web/parts/alert.ts";
import { fieldsOf, typedOf } from "../../web/parts/rule_fields.ts";

const full = ruleSchema.parse({
  name: "Everything",
  description: "With every field.",
  enabled: false,
  metric: "latency_p95_ms",
  filter: { env: "production", model: ["gpt-5", 'a "quoted" one'] },
  group_by: "model",
  window_minutes: 15,
  delay_seconds: 30,
  operator: ">=",
  warning: 3,
  critical: 6,
  recovery: 1.5,
  baseline: { days: 14, min_change: 0.5, timezone: "Europe/Berlin" },
  min_requests: 10,
  for_minutes: 5,
  keep_firing_minutes: 10,
  no_data: "alert",
  channels: ["ch_1"],
  notify_resolved: false,
  repeat_minutes: 60,
  group_interval_minutes: 5,
  mute: [{ days: ["sat", "sun"], from: "22:00", until: "24:00", timezone: "Asia/Tokyo" }],
  snoozed_until: "2026-12-01T00:00:00Z",
  labels: { team: "search" },
  runbook: {
    url: "https://example.com/runbook",
    steps: ["Look.", "Roll back."],
    actions: [{ type: "mute", minutes: 30 }, { type: "page", channel: "ch_1", label: "Page us" }],
  },
});

describe("form of a rule", () => {
  for (const rule of [full, ...templates.map((template) => template.rule)]) {
    test(`${rule.name} comes back as it was`, () => {
      const fields = rule as RuleFields;
      expect(ruleSchema.parse(fieldsOf(typedOf(fields), fields))).toEqual(rule);
    });
  }

  for (const share of [0.05, 0.07, 0.29, 0.003, 1 / 3]) {
    test(`a share of ${share} is typed as percent and stays what it is`, () => {
      const rule = ruleSchema.parse({ name: "x", metric: "error_rate", critical: share });
      expect(fieldsOf(typedOf(rule as RuleFields), rule as RuleFields).critical)
        .toBeCloseTo(share, 12);
    });
  }

  const slips: [string, Partial<ReturnType<typeof typedOf>>, RegExp][] = [
    ["a threshold that is a word", { critical: "five" }, /"five" is no number/],
    ["an empty window", { window_minutes: "" }, /A number is needed/],
    ["free words in the filter", { filter: "production" }, /field:value/],
  ];
  for (const [name, change, said] of slips) {
    test(name, () => {
      const typed = { ...typedOf(templates[0]!.rule as RuleFields), ...change };
      expect(() => fieldsOf(typed, null)).toThrow(said);
    });
  }
});
