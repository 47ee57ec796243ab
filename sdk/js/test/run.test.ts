// Runs: events logged inside belong together, and the function does what it does without them.
import { afterEach, expect, test } from "bun:test";
import * as aisentry from "../src/index.ts";
import { follow } from "../src/follow.ts";
import { sentBy } from "./client.ts";
import type { StoredEvent } from "./receiver.ts";

afterEach(() => aisentry.close(500));

const named = (events: StoredEvent[], name: string) =>
  events.find((event) => event.name === name || event.tool_name === name)!;

test("a run groups its events, across await, as a tree", async () => {
  let handle: aisentry.Span | undefined;
  const events = await sentBy(() =>
    aisentry.run("outer", async (run) => {
      handle = run;
      aisentry.logPromptCall({ name: "before" });
      await Promise.resolve();
      await aisentry.run("inner", async () => {
        await Promise.resolve();
        aisentry.logToolCall({ tool_name: "tool" });
      });
      aisentry.logPromptCall({ name: "after" });
    })
  );
  const { run_id, span_id } = handle!;
  expect(events).toHaveLength(5);
  expect(new Set(events.map((event) => event.run_id))).toEqual(
    new Set([run_id]),
  );
  const outer = named(events, "outer");
  const inner = named(events, "inner");
  expect(outer).toMatchObject({ event_type: "span", span_id });
  expect(outer.parent_span_id).toBeUndefined();
  expect(inner.parent_span_id).toBe(span_id);
  expect(named(events, "before").parent_span_id).toBe(span_id);
  expect(named(events, "after").parent_span_id).toBe(span_id);
  expect(named(events, "tool").parent_span_id).toBe(inner.span_id);
  expect(outer.latency_ms).toBeGreaterThanOrEqual(inner.latency_ms as number);
});

test("runs at the same time do not mix, nor do their users", async () => {
  const events = await sentBy(async () => {
    await Promise.all(
      ["a", "b", "c"].map((user) =>
        aisentry.run(user, async () => {
          aisentry.setUser(user);
          await Promise.resolve();
          await aisentry.run("deeper", async () => {
            await Promise.resolve();
            aisentry.setSession(`session of ${user}`);
          });
          aisentry.logPromptCall({ name: `of ${user}` });
        })
      ),
    );
    aisentry.logPromptCall({ name: "outside" });
  }, { user_id: "everybody" });
  for (const user of ["a", "b", "c"]) {
    const run_id = named(events, user).run_id;
    expect(named(events, `of ${user}`)).toMatchObject({
      run_id,
      user_id: user,
      session_id: `session of ${user}`,
    });
    expect(events.filter((event) => event.run_id === run_id)).toHaveLength(3);
  }
  const outside = named(events, "outside");
  expect(outside.user_id).toBe("everybody");
  expect(outside.run_id).toBeUndefined();
  expect(outside.session_id).toBeUndefined();
});

test("a run with fields", async () => {
  const fields = {
    name: "chat",
    run_id: "own-run",
    user_id: "u",
    session_id: "s",
    tags: ["x"],
    timestamp: 0,
    latency_ms: 5,
  };
  const events = await sentBy(() =>
    aisentry.run(fields, (run) => {
      expect(run.run_id).toBe("own-run");
      aisentry.logPromptCall({ tags: ["y"] });
      aisentry.logPromptCall({ run_id: "another run" });
    })
  );
  expect(events).toMatchObject([
    {
      event_type: "prompt_call",
      run_id: "own-run",
      user_id: "u",
      session_id: "s",
      tags: ["x", "y"],
    },
    { event_type: "prompt_call", run_id: "another run", user_id: "u" },
    {
      event_type: "span",
      run_id: "own-run",
      user_id: "u",
      timestamp: "1970-01-01T00:00:00.000Z",
    },
  ]);
  expect(events[1]!.parent_span_id).toBeUndefined();
  expect(events[2]!.latency_ms).toBe(5);
  expect(events[2]!.tags).toEqual(["x"]);
});

test("the error of a run is recorded, and thrown on as it is", async () => {
  const error = new RangeError("too far");
  let caught: unknown[] = [];
  const events = await sentBy(async () => {
    const attempts = [
      () =>
        aisentry.run("synchronous", () => {
          throw error;
        }),
      () => aisentry.run("asynchronous", () => Promise.reject(error)),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch (thrown) {
        caught = [...caught, thrown];
      }
    }
  });
  expect(caught).toEqual([error, error]);
  expect(caught[0]).toBe(error);
  for (const name of ["synchronous", "asynchronous"]) {
    expect(named(events, name).error).toMatchObject({
      message: "too far",
      type: "RangeError",
    });
  }
});

/** A query as some libraries have them: it starts when awaited, and only once. */
class Query extends Promise<string> {
  static started = 0;
  override then<A, B>(
    ok?: ((value: string) => A | PromiseLike<A>) | null,
    bad?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    Query.started++;
    return Promise.resolve("rows").then(ok, bad);
  }
}

test("the result of a run is that of its function", async () => {
  const object = {};
  expect(aisentry.run(() => object)).toBe(object);
  aisentry.init({ dsn: "http://a-key@127.0.0.1:1/p" });
  expect(aisentry.run(() => object)).toBe(object);
  expect(aisentry.run("n", () => undefined)).toBeUndefined();
  expect(await aisentry.run("n", () => Promise.resolve(object))).toBe(object);
  const query = new Query(() => {});
  expect(aisentry.run("n", () => query)).toBe(query);
  expect(Query.started).toBe(0);
  function* numbers() {
    yield 1;
  }
  const generator = numbers();
  expect(aisentry.run("n", () => generator)).toBe(generator);
});

test("a rejection that nobody handles is still nobody's", async () => {
  const error = new Error("unhandled");
  let ended = 0;
  const promise = follow(() => Promise.reject(error), { end: () => ended++ });
  expect(await promise.catch((thrown: unknown) => thrown)).toBe(error);
  expect(ended).toBe(1);
});

test("without a recorder a run still has ids", () => {
  aisentry.run("n", ({ run_id, span_id }) => {
    expect(run_id).toMatch(/^[0-9a-f]{32}$/);
    expect(span_id).toMatch(/^[0-9a-f]{16}$/);
  });
});
