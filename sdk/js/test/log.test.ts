// The public verbs: what a call becomes.
import { afterEach, expect, test } from "bun:test";
import * as aisentry from "../src/index.ts";
import { bare, sentBy } from "./client.ts";
import type { StoredEvent } from "./receiver.ts";

afterEach(() => aisentry.close(500));

const calls: [what: string, call: () => unknown, event: StoredEvent][] = [
  [
    "a prompt call",
    () =>
      aisentry.logPromptCall({
        model: "gpt-4o",
        prompt: "Hello",
        tokens_input: 3,
      }),
    {
      event_type: "prompt_call",
      model: "gpt-4o",
      prompt: "Hello",
      tokens_input: 3,
    },
  ],
  [
    "a tool call that failed",
    () =>
      aisentry.logToolCall({
        tool_name: "search",
        error: "no network",
        output: null,
      }),
    {
      event_type: "tool_call",
      tool_name: "search",
      error: { message: "no network" },
    },
  ],
  [
    "an agent's step",
    () =>
      aisentry.logAgentStep({
        step_number: 1,
        step_type: "reasoning",
        user_id: undefined,
      }),
    { event_type: "agent_step", step_number: 1, step_type: "reasoning" },
  ],
  [
    "an error that is a text",
    () => aisentry.logError("broken"),
    { event_type: "error", error: { message: "broken" } },
  ],
  [
    "an error that is anything",
    () => aisentry.logError([1, 2]),
    { event_type: "error", error: { message: "[1,2]" } },
  ],
  [
    "an error that is nothing",
    () => aisentry.logError(undefined, { context: 1 }),
    { event_type: "error", error: { message: "unknown" }, context: 1 },
  ],
  [
    "an error among fields",
    () => aisentry.logError({ error: { message: "m", code: "c" }, context: "x" }),
    { event_type: "error", error: { message: "m", code: "c" }, context: "x" },
  ],
  [
    "an assertion",
    () =>
      aisentry.logAssertionFailed({
        assertion_name: "is JSON",
        severity: "high",
      }),
    {
      event_type: "assertion_failed",
      assertion_name: "is JSON",
      severity: "high",
    },
  ],
  [
    "a hallucination",
    () => aisentry.logHallucination({ flagged_content: "the moon is cheese" }),
    {
      event_type: "hallucination_detected",
      flagged_content: "the moon is cheese",
    },
  ],
  [
    "a score",
    () => aisentry.score({ name: "helpful", score_value: 1, run_id: "r" }),
    { event_type: "score", name: "helpful", score_value: 1, run_id: "r" },
  ],
  [
    "any event",
    () =>
      aisentry.logEvent({
        event_type: "cost_threshold_exceeded",
        threshold: 5,
      }),
    { event_type: "cost_threshold_exceeded", threshold: 5 },
  ],
  [
    "numbers where texts belong",
    () =>
      aisentry.logPromptCall(
        { user_id: 42, release: 7, step_number: 1 } as object,
      ),
    { event_type: "prompt_call", user_id: "42", release: "7", step_number: 1 },
  ],
  [
    "a type among the fields of a verb",
    () => aisentry.logPromptCall({ event_type: "span" } as object),
    { event_type: "prompt_call" },
  ],
  [
    "a field that throws",
    () =>
      aisentry.logPromptCall({
        model: "m",
        get prompt() {
          throw new Error("gone");
        },
      }),
    { event_type: "prompt_call", model: "m", prompt: "[thrown: gone]" },
  ],
  [
    "fields that the server will keep as attributes",
    () => aisentry.logPromptCall({ temperature: 0.5 } as object),
    { event_type: "prompt_call", temperature: 0.5 },
  ],
];
test.each(calls)("%s", async (_what, call, event) => {
  expect((await sentBy(call)).map(bare)).toEqual([event]);
});

test("an event has an id, a time and its sender; the call returns the id", async () => {
  let id: string | undefined;
  const [event] = await sentBy(() => id = aisentry.logPromptCall({}));
  expect(event!.event_id).toBe(id!);
  expect(Math.abs(Date.parse(String(event!.timestamp)) - Date.now()))
    .toBeLessThan(5000);
  expect(event!.client).toEqual({
    hostname: expect.any(String),
    platform: expect.stringMatching(/^bun \d/),
    sdk_version: `aisentry-js/${aisentry.version}`,
  });
});

const times: [what: string, fields: object, timestamp: string][] = [
  ["a date", { timestamp: new Date(1000) }, "1970-01-01T00:00:01.000Z"],
  ["milliseconds", { timestamp: 2000 }, "1970-01-01T00:00:02.000Z"],
  [
    "a text",
    { timestamp: "2026-01-31T12:00:00.000Z" },
    "2026-01-31T12:00:00.000Z",
  ],
  [
    "a time and a duration",
    { timestamp: 2000, latency_ms: 50 },
    "1970-01-01T00:00:02.000Z",
  ],
];
test.each(times)(
  "the time of an event: %s",
  async (_what, fields, timestamp) => {
    const [event] = await sentBy(() => aisentry.logPromptCall(fields));
    expect(event!.timestamp).toBe(timestamp);
  },
);

test("an event that took a minute and ends now started a minute ago", async () => {
  const [event] = await sentBy(() => aisentry.logPromptCall({ latency_ms: 60_000 }));
  const age = Date.now() - Date.parse(String(event!.timestamp));
  expect(age).toBeGreaterThanOrEqual(60_000);
  expect(age).toBeLessThan(65_000);
});

test("what the program is told about itself is on every event that says nothing else", async () => {
  const options = {
    release: "1",
    env: "test",
    user_id: "u",
    session_id: "s",
    tags: ["a"],
  };
  const events = await sentBy(() => {
    aisentry.logPromptCall({ release: "2", tags: ["b", "a"], user_id: null });
    aisentry.setUser(7);
    aisentry.setSession(null);
    aisentry.setTags(["c"]);
    aisentry.logPromptCall({});
  }, options);
  expect(events.map(bare)).toEqual([
    {
      event_type: "prompt_call",
      release: "2",
      env: "test",
      user_id: "u",
      session_id: "s",
      tags: ["a", "b"],
    },
    {
      event_type: "prompt_call",
      release: "1",
      env: "test",
      user_id: "7",
      tags: ["a", "c"],
    },
  ]);
});

test("the program's objects are not changed, and later changes do not matter", async () => {
  const fields = {
    prompt: [{ role: "user", content: "a" }],
    tags: ["x"],
    error: new Error("e"),
  };
  const before = structuredClone(fields);
  const [event] = await sentBy(() => {
    aisentry.setTags(["y"]);
    aisentry.logPromptCall(Object.freeze(fields));
    fields.prompt.push({ role: "user", content: "b" });
  });
  expect(event!.prompt).toEqual([{ role: "user", content: "a" }]);
  fields.prompt.pop();
  expect(fields).toEqual(before);
});
