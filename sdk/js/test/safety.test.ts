// No call harms its program: whatever it is given, and whatever state the package is in.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import * as aisentry from "../src/index.ts";
import { limits } from "../src/limits.ts";
import { hang, key, type Receiver, startReceiver } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => warned.mockRestore());
const said = () => warned.mock.calls.map((call) => String(call[0]));
afterEach(async () => {
  await aisentry.close(500);
  warned.mockClear();
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

const trapped = {
  get prompt(): string {
    throw new Error("getter");
  },
  model: "m",
};

test("no span, observed function or assertion gets between a program and its work", async () => {
  using receiver = startReceiver();
  for (const dsn of [undefined, receiver.dsn]) {
    aisentry.init({ dsn });
    for (const value of [...harm, trapped]) {
      const any = value as never;
      expect(aisentry.span(any, () => 1)).toBe(1);
      expect(aisentry.span("s", any, () => 2)).toBe(2);
      expect(aisentry.span("s", (span) => (span.set(any), 3))).toBe(3);
      expect(aisentry.observe(() => value, any)()).toBe(value);
      expect(aisentry.observe((given: unknown) => given)(value)).toBe(value);
      expect(aisentry.wrap(value)).toBe(value);
      if (value !== undefined) expect(aisentry.inject(any)).toBe(any);
      expect(aisentry.extract(any)).toEqual({});
      const checks = aisentry.expect(value, any);
      checks.json(any).contains(any).lacks(any).matches(any).length(any, any)
        .satisfies(any);
      checks.latency(any, any).cost(any, any);
      expect(checks.failures.length).toBeGreaterThan(0);
    }
  }
  expect(await aisentry.flush(4000)).toBe(true);
  expect(receiver.complaints).toEqual([]);
  expect(aisentry.stats()!.dropped).toEqual({});
});

test("a field that cannot be read leaves its neighbours alone", async () => {
  using receiver = startReceiver();
  aisentry.init({ dsn: receiver.dsn });
  aisentry.span(trapped, () => 1);
  expect(await aisentry.flush(4000)).toBe(true);
  const [event] = [...receiver.events.values()];
  expect(event).toMatchObject({ model: "m", prompt: "[unreadable]" });
});

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
  // About 40 ms; the bound is that of a request, for a machine with other things to do.
  expect(performance.now() - start).toBeLessThan(limits.requestMsMax);
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
