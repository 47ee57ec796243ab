// What is sent of what is logged: the program's hook and the sample decide.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import * as aisentry from "../src/index.ts";
import { bare, sentBy } from "./client.ts";
import type { StoredEvent } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => warned.mockRestore());
afterEach(async () => {
  await aisentry.close(500);
  warned.mockClear();
});

const hooks: [what: string, hook: unknown, event: StoredEvent | null][] = [
  [
    "changes the event",
    (event: StoredEvent) => ({ ...event, prompt: "[hidden]" }),
    {
      event_type: "prompt_call",
      model: "m",
      prompt: "[hidden]",
      user_id: "u",
      error: { message: "e" },
      extra: 1,
    },
  ],
  [
    "changes it in place",
    (event: StoredEvent) => {
      delete event.prompt;
      delete event.error;
      delete event.extra;
      return event;
    },
    { event_type: "prompt_call", model: "m", user_id: "u" },
  ],
  ["returns null", () => null, null],
  ["returns nothing", () => {}, null],
  [
    "throws: the content stays here",
    () => {
      throw new Error("hook");
    },
    {
      event_type: "prompt_call",
      model: "m",
      error: { message: "[removed: before_send failed]" },
    },
  ],
  [
    "is asynchronous: the content stays here",
    () => Promise.resolve(null),
    {
      event_type: "prompt_call",
      model: "m",
      error: { message: "[removed: before_send failed]" },
    },
  ],
];
test.each(hooks)("before_send %s", async (_what, hook, expected) => {
  const fields = {
    model: "m",
    prompt: "secret",
    user_id: "u",
    error: "e",
    extra: 1,
  };
  const events = await sentBy(() => aisentry.logPromptCall(fields), {
    before_send: hook as aisentry.Options["before_send"],
  });
  expect(events.map(bare)).toEqual(expected === null ? [] : [expected]);
  expect(aisentry.stats()!.dropped).toEqual(
    expected === null ? { before_send: 1 } : {},
  );
  expect(fields.prompt).toBe("secret");
});

test("a hook that keeps the event and changes it later changes nothing", async () => {
  const kept: StoredEvent[] = [];
  const [event] = await sentBy(() => {
    aisentry.logPromptCall({ prompt: "a" });
    kept[0]!.prompt = "b";
  }, {
    before_send: (event) => {
      kept.push(event);
      return event;
    },
  });
  expect(event!.prompt).toBe("a");
});

test("a sample is of whole runs, and every failure is in it", async () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `run-${i}`);
  const drops: string[] = [];
  const events = await sentBy(() => {
    for (const run_id of ids) {
      aisentry.logPromptCall({ run_id });
      aisentry.logToolCall({ run_id, tool_name: "t" });
      aisentry.logError("failed", { run_id });
      aisentry.logPromptCall({ run_id, status: "timeout" });
      aisentry.logPromptCall({ run_id, status: "success", error: "mended" });
      aisentry.logAssertionFailed({ run_id, assertion_name: "a" });
    }
  }, { sample_rate: 0.1, on_drop: (reason) => drops.push(reason) });
  const of = (type: string, status?: string) =>
    events.filter((event) => event.event_type === type && event.status === status)
      .map((event) => event.run_id);
  const sampled = of("prompt_call");
  expect(sampled.length).toBeGreaterThan(60);
  expect(sampled.length).toBeLessThan(140);
  expect(of("tool_call")).toEqual(sampled);
  expect(of("error")).toEqual(ids);
  expect(of("prompt_call", "timeout")).toEqual(ids);
  expect(of("assertion_failed")).toEqual(ids);
  expect(of("prompt_call", "success")).toEqual(sampled);
  expect(drops).toEqual(Array(3 * (1000 - sampled.length)).fill("sampled_out"));
});
