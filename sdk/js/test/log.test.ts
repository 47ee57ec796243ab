// The public verbs: what a call becomes, and that no call can harm its program.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import * as aisentry from "../src/index.ts";
import { hang, key, type Receiver, startReceiver, type StoredEvent } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => warned.mockRestore());
const said = () => warned.mock.calls.map((call) => String(call[0]));
afterEach(async () => {
  await aisentry.close(500);
  warned.mockClear();
});

/** What arrives of the calls, without the fields that every event has. */
async function sentBy(
  calls: () => unknown,
  options: aisentry.Options = {},
): Promise<StoredEvent[]> {
  using receiver = startReceiver();
  aisentry.init({ ...options, dsn: receiver.dsn });
  await calls();
  expect(await aisentry.flush(5000)).toBe(true);
  expect(receiver.complaints).toEqual([]);
  expect(aisentry.stats()?.dropped.internal_error).toBeUndefined();
  return [...receiver.events.values()];
}

const bare = (
  { event_id: _1, timestamp: _2, client: _3, ...fields }: StoredEvent,
) => fields;

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
      tags: ["c"],
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

const harm: unknown[] = [
  undefined,
  null,
  "text",
  5,
  Symbol("s"),
  () => {},
  new Proxy({}, {
    ownKeys() {
      throw new Error("closed");
    },
    get() {
      throw new Error("closed");
    },
    getPrototypeOf() {
      throw new Error("closed");
    },
    has() {
      throw new Error("closed");
    },
  }),
];

test("no call throws, whatever it is given", async () => {
  using receiver = startReceiver();
  const throwing = () => {
    throw new Error("hook");
  };
  for (const dsn of [undefined, "nonsense", receiver.dsn]) {
    aisentry.init({
      dsn,
      on_drop: throwing,
      before_send: throwing,
      wait_until: throwing,
    });
    for (const value of harm) {
      const any = value as never;
      aisentry.logPromptCall(any);
      aisentry.logToolCall(any);
      aisentry.logAgentStep(any);
      aisentry.logAssertionFailed(any);
      aisentry.logHallucination(any);
      aisentry.logError(any, any);
      aisentry.logEvent(any);
      aisentry.score(any);
      aisentry.setUser(any);
      aisentry.setSession(any);
      aisentry.setTags(any);
      expect(aisentry.run(any, () => "result")).toBe("result");
      aisentry.init(any);
    }
    await aisentry.flush(1000);
    await aisentry.close();
  }
});

test("a console that throws does no harm", () => {
  warned.mockImplementation(() => {
    throw new Error("no console");
  });
  aisentry.init({ dsn: "other nonsense" });
  aisentry.init({ dsn: "http://a-key@127.0.0.1:1/p" });
  aisentry.logPromptCall(5 as never);
  warned.mockImplementation(() => {});
});

test("without a DSN there is silence", async () => {
  aisentry.init();
  expect(aisentry.logPromptCall({ prompt: "x" })).toBeUndefined();
  expect(aisentry.stats()).toBeUndefined();
  expect(await aisentry.flush()).toBe(true);
  expect(said()).toEqual([]);
});

test("a nonsense DSN is said once", () => {
  for (let i = 0; i < 3; i++) {
    aisentry.init({ dsn: "http://missing-project@host" });
  }
  aisentry.logPromptCall({ prompt: "x" });
  expect(said().length).toBeLessThanOrEqual(1);
});

test("init again with the same options changes nothing, with others it takes over", async () => {
  using first = startReceiver();
  using second = startReceiver();
  aisentry.init({ dsn: first.dsn, tags: ["a"] });
  aisentry.logPromptCall({ name: "1" });
  aisentry.init({ dsn: first.dsn, tags: ["a"] });
  aisentry.logPromptCall({ name: "2" });
  expect(aisentry.stats()?.waiting).toBe(2);
  aisentry.init({ dsn: second.dsn });
  aisentry.logPromptCall({ name: "3" });
  await aisentry.close();
  const names = (receiver: Receiver) => [...receiver.events.values()].map((event) => event.name);
  expect(names(first)).toEqual(["1", "2"]);
  expect(names(second)).toEqual(["3"]);
});

test("after close nothing is recorded, and init starts anew", async () => {
  using receiver = startReceiver();
  aisentry.init({ dsn: receiver.dsn });
  aisentry.logPromptCall({});
  expect(await aisentry.close()).toBe(true);
  expect(aisentry.logPromptCall({})).toBeUndefined();
  aisentry.init({ dsn: receiver.dsn });
  aisentry.logPromptCall({});
  await aisentry.flush();
  expect(receiver.events.size).toBe(2);
});

test("a hung server does not slow down a caller", () => {
  using receiver = startReceiver();
  receiver.faults.push(hang);
  aisentry.init({ dsn: receiver.dsn });
  const start = performance.now();
  for (let i = 0; i < 20_000; i++) {
    aisentry.logPromptCall({ model: "m", prompt: "x" });
  }
  // About 40 ms; the bound is for a machine with other things to do.
  expect(performance.now() - start).toBeLessThan(2000);
  expect(aisentry.stats()!.dropped.queue_full).toBe(10_000);
});

test("a DSN with a base path", async () => {
  using receiver = startReceiver("/observe/v1/events", "/observe/tests");
  aisentry.init({ dsn: receiver.dsn });
  aisentry.logPromptCall({});
  expect(await aisentry.flush()).toBe(true);
  expect(receiver.complaints).toEqual([]);
  expect(receiver.events.size).toBe(1);
  expect(receiver.dsn).toContain(key);
});
