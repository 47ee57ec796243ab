// When monitors are checked: spread, never twice in a row, never in a burst. And what of it is told.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Attempt } from "../../src/monitor/check.ts";
import { eventsOf } from "../../src/monitor/events.ts";
import { monitorSchema } from "../../src/monitor/monitor.ts";
import { nextAfter, resumedAt } from "../../src/monitor/schedule.ts";
import { receiveEvent } from "../../src/receive/event.ts";
import { monitor } from "./endpoint.ts";

const minuteMs = 60_000;
const at = Date.UTC(2026, 0, 31, 12);

describe("the clock", () => {
  const id = fc.string({ minLength: 1 });
  const interval = fc.integer({ min: 1, max: 7 * 24 * 60 });
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });

  test("checks follow one another by an interval, with a little jitter", () => {
    fc.assert(fc.property(id, interval, random, random, (id, minutes, one, other) => {
      const first = nextAfter(id, minutes, at, one);
      const second = nextAfter(id, minutes, first, other);
      const jitterMs = Math.min(minutes * minuteMs / 10, 20_000);
      const placeMs = (minutes > 10 ? minuteMs : minutes * minuteMs) / 2;
      expect(first - at).toBeGreaterThanOrEqual(minutes * minuteMs - placeMs - 1);
      expect(first - at).toBeLessThanOrEqual(minutes * minuteMs + placeMs + jitterMs + 1);
      expect(Math.abs(second - first - minutes * minuteMs)).toBeLessThanOrEqual(jitterMs + 1);
    }));
  });

  test("after downtime or a jump of the clock, a check waits a minute at most", () => {
    fc.assert(fc.property(id, interval, fc.integer(), (id, minutes, offsetMs) => {
      const due = at + offsetMs;
      const resumed = resumedAt(id, minutes, due, at);
      const isNear = at - due <= minuteMs && due - at <= 2 * minutes * minuteMs;
      if (isNear) expect(resumed).toBe(due);
      else {
        expect(resumed).toBeGreaterThanOrEqual(at);
        expect(resumed).toBeLessThan(at + minuteMs);
      }
    }));
  });

  test("a thousand monitors that were due at once are spread over the minute", () => {
    const tenths = new Map<number, number>();
    for (let one = 0; one < 1000; one++) {
      const tenth = Math.floor((resumedAt(`mon_${one}`, 60, at - 10 * minuteMs, at) - at) / 6000);
      tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
    }
    expect(tenths.size).toBe(10);
    expect(Math.max(...tenths.values())).toBeLessThan(160);
  });
});

const attempt = (fields: Partial<Attempt> = {}): Attempt => ({
  at,
  latency_ms: 120,
  problem: null,
  message: null,
  status: 200,
  answer: "Paris.",
  read: { text: "Paris.", model: "gpt-4o-mini-2024-07-18", tokens_input: 9, tokens_output: 2 },
  cost_usd: null,
  first_token_ms: null,
  verdicts: [],
  retryAfterS: null,
  ...fields,
});

describe("events of a check", () => {
  const receipt = {
    received_at: "2026-01-31T12:00:01.000000Z",
    project_id: "shop",
    latestMs: at + 60_000,
    newId: () => "new",
  };
  const cases: [what: string, type: "openai" | "http", attempts: Attempt[], expected: object[]][] =
    [
      ["right", "openai", [attempt()], [
        { event_type: "span", status: "success", latency_ms: 120 },
        {
          event_type: "prompt_call",
          status: "success",
          response: "Paris.",
          model: "gpt-4o-mini-2024-07-18",
          model_requested: "gpt-4o-mini",
          tokens_input: 9,
        },
      ]],
      ["wrong, after a failure", "openai", [
        attempt({
          problem: "answered_error",
          message: "Answered 503.",
          status: 503,
          read: null,
          answer: "busy",
        }),
        attempt({
          at: at + 1000,
          problem: "assertion_failed",
          message: 'Not so: contains "Lyon".',
          verdicts: [
            { text: 'contains "Lyon"', holds: false, actual: "Paris.", type: "contains" },
            { text: "costs at most $1", holds: null, actual: "unknown", type: "cost" },
          ],
        }),
      ], [
        {
          event_type: "span",
          status: "warning",
          latency_ms: 1120,
          attributes: { outcome: "failing", problem: "assertion_failed" },
        },
        {
          event_type: "prompt_call",
          status: "error",
          response: "busy",
          error: { type: "answered_error", message: "Answered 503. busy", code: "503" },
        },
        { event_type: "prompt_call", status: "success", parent_span_id: "chk_1" },
        {
          event_type: "assertion_failed",
          status: "assertion_failed",
          name: 'contains "Lyon"',
          assertion_name: 'contains "Lyon"',
          actual: "Paris.",
          parent_span_id: "chk_1.2",
        },
      ]],
      ["no answer", "http", [
        attempt({ problem: "timeout", message: "No.", status: null, read: null, answer: null }),
      ], [
        { event_type: "span", status: "warning", attributes: { outcome: "erroring" } },
        {
          event_type: "tool_call",
          tool_name: "http",
          status: "timeout",
          input: { method: "GET", url: "http://a.test/x" },
        },
      ]],
    ];
  test.each(cases)("%s", (_what, type, attempts, expected) => {
    const url = type === "http" ? "http://a.test/x?key=secret" : "http://a.test";
    const events = eventsOf({
      id: "chk_1",
      monitor_id: "mon_1",
      monitor: monitor({ type, url, env: "production", tags: ["mine"] }),
      attempts,
    });
    expect(events).toMatchObject(expected);
    expect(events.length).toBe(expected.length);
    expect(JSON.stringify(events)).not.toContain("key=secret");
    for (const event of events) {
      expect(event).toMatchObject({
        run_id: "chk_1",
        env: "production",
        tags: ["monitor", "monitor:mon_1", "mine"],
      });
      expect(receiveEvent(event, receipt)).toHaveProperty("event");
    }
  });
});

test.each([
  [{ type: "openai", prompt: "x" }, "model"],
  [{ type: "anthropic", model: "x" }, "prompt"],
  [{ type: "http", prompt: "x" }, "prompt"],
  [{ type: "openai", model: "x", prompt: "x", method: "GET" }, "method"],
  [{ type: "openai", model: "x", prompt: "x", parameters: { stream: true } }, "parameters"],
  [{ type: "http", body: "x" }, "body"],
  [{ type: "http", url: "ftp://a.test" }, "url"],
  [{ type: "http", url: "http://user:word@a.test" }, "url"],
  [{ type: "http", interval_minutes: 0 }, "interval_minutes"],
  [{ type: "http", timeout_seconds: 61 }, "timeout_seconds"],
  [{ type: "http", api_key: "never here" }, undefined],
])("%j is no monitor", (fields, path) => {
  const { error } = monitorSchema.safeParse({ name: "One", url: "http://a.test", ...fields });
  expect(error?.issues[0]?.path[0]).toBe(path as string);
});
