// A wrapped function or client behaves as the bare one, whatever it does: results, errors, `this`,
// generators and how they are read, promises and how they are awaited, cancellation.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  spyOn,
  test,
} from "bun:test";
import fc from "fast-check";
import * as aisentry from "../src/index.ts";
import { libraries, triedSet } from "./libraries/install.ts";
import {
  type Loose,
  makeClient,
  type ProviderName,
  type StandIn,
  startStandIn,
} from "./provide.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
let receiver: Receiver;
beforeAll(() => {
  receiver = startReceiver();
});
beforeEach(() => aisentry.init({ dsn: receiver.dsn }));
afterEach(() => aisentry.close(1000));
afterAll(() => {
  receiver[Symbol.dispose]();
  warned.mockRestore();
});

const runs = { numRuns: 60 };

type Form = "function" | "async" | "generator" | "async_generator";
type Action = { give: unknown } | { throw: unknown };
/** What a reader does with a generator, in turn. */
type Turn = ["next" | "return" | "throw", unknown];

interface Plan {
  form: Form;
  yields: unknown[];
  end: Action;
  /** The function goes on when it is asked to end. */
  isStubborn: boolean;
}

const value = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSparseArray: true,
  }),
  fc.constant(undefined),
  fc.func(fc.integer()),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  value.map((give) => ({ give })),
  fc.oneof(value, fc.string().map((message) => new TypeError(message))).map((
    it,
  ) => ({
    throw: it,
  })),
);
const plan: fc.Arbitrary<Plan> = fc.record({
  form: fc.constantFrom<Form>(
    "function",
    "async",
    "generator",
    "async_generator",
  ),
  yields: fc.array(value, { maxLength: 4 }),
  end: action,
  isStubborn: fc.boolean(),
});
const turns = fc.array(
  fc.tuple(
    fc.constantFrom(
      "next" as const,
      "next" as const,
      "return" as const,
      "throw" as const,
    ),
    value,
  ),
  { maxLength: 6 },
);

function finish(end: Action): unknown {
  if ("throw" in end) throw end.throw;
  return end.give;
}

/** Does as planned, and writes down what it sees. */
function make(
  { form, yields, end, isStubborn }: Plan,
  seen: unknown[],
): (...args: unknown[]) => unknown {
  switch (form) {
    case "function":
      return function planned(this: unknown, ...args) {
        seen.push(this, ...args);
        return finish(end);
      };
    case "async":
      return async function planned(this: unknown, ...args) {
        seen.push(this, ...args);
        await Promise.resolve();
        return finish(end);
      };
    case "generator":
      return function* planned(this: unknown, ...args) {
        seen.push(this, ...args);
        for (const one of yields) {
          try {
            seen.push(yield one);
          } catch (thrown) {
            seen.push(thrown);
            if (!isStubborn) throw thrown;
          } finally {
            seen.push("left");
          }
        }
        return finish(end);
      };
    case "async_generator":
      return async function* planned(this: unknown, ...args) {
        seen.push(this, ...args);
        for (const one of yields) {
          try {
            seen.push(yield one);
          } catch (thrown) {
            seen.push(thrown);
            if (!isStubborn) throw thrown;
          } finally {
            seen.push("left");
          }
        }
        return finish(end);
      };
  }
}

/** What came out, told apart by identity. */
async function outcome(work: () => unknown): Promise<unknown[]> {
  try {
    return ["gave", await work()];
  } catch (thrown) {
    return ["threw", thrown];
  }
}

async function play(
  work: (...args: unknown[]) => unknown,
  self: object,
  args: unknown[],
  list: Turn[],
) {
  const told: unknown[] = [];
  const result = await outcome(() => {
    const given = work.apply(self, args);
    told.push(Object.prototype.toString.call(given));
    return given;
  });
  const generator = result[1] as
    | Record<string, (value: unknown) => unknown>
    | undefined;
  if (!/Generator/.test(String(told[0]))) return [...told, ...result];
  for (const [name, argument] of list) {
    const [kind, turn] = await outcome(() => generator![name]!(argument));
    const { done, value } = (turn ?? {}) as { done?: unknown; value?: unknown };
    told.push(kind, kind === "gave" ? [done, value] : turn);
  }
  return told;
}

function same(one: unknown[], other: unknown[]): void {
  expect(other.length).toBe(one.length);
  one.forEach((value, at) => {
    const found = other[at];
    if (Array.isArray(value) && Array.isArray(found)) {
      return value.forEach((entry, place) => expect(Object.is(found[place], entry)).toBe(true));
    }
    expect(Object.is(found, value)).toBe(true);
  });
}

describe("observe", () => {
  test("behaves as the function itself", async () => {
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.array(value, { maxLength: 3 }),
        turns,
        async (plan, args, list) => {
          const self = { name: "this" };
          const [bareSeen, wrappedSeen]: unknown[][] = [[], []];
          const bare = await play(make(plan, bareSeen!), self, args, list);
          const wrapped = await play(
            aisentry.observe(make(plan, wrappedSeen!)),
            self,
            args,
            list,
          );
          same(bare, wrapped);
          same(bareSeen!, wrappedSeen!);
        },
      ),
      runs,
    );
  });

  test("span behaves as a call of its function", async () => {
    const plain = plan.map((
      one,
    ) => ({
      ...one,
      form: one.form === "async" ? "async" : "function",
    } as Plan));
    await fc.assert(
      fc.asyncProperty(plain, async (plan) => {
        const bare = await outcome(() => make(plan, [])());
        const inside = await outcome(() => aisentry.span("s", () => make(plan, [])()));
        same(bare, inside);
      }),
      runs,
    );
  });

  test("a loop that is left early leaves the generator", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.boolean(), async (taken, isAsync) => {
        let left = 0;
        const work = isAsync
          ? async function* () {
            try {
              for (let at = 0;; at++) yield at;
            } finally {
              left++;
            }
          }
          : function* () {
            try {
              for (let at = 0;; at++) yield at;
            } finally {
              left++;
            }
          };
        const seen: number[] = [];
        for await (
          const one of aisentry.observe(work as () => Iterable<number>)()
        ) {
          seen.push(one);
          if (one >= taken) break;
        }
        expect([seen.length, left]).toEqual([taken + 1, 1]);
      }),
      runs,
    );
  });

  test("name, length, properties, prototype, private fields and new stay", () => {
    class Counter {
      #count = 0;
      static made = 0;
      constructor(start = 0) {
        Counter.made++;
        this.#count = start;
      }
      add(by: number, _more?: unknown) {
        return this.#count += by;
      }
    }
    const { add } = Counter.prototype;
    Counter.prototype.add = aisentry.observe(add);
    expect(new Counter(1).add(2)).toBe(3);
    expect([Counter.prototype.add.name, Counter.prototype.add.length]).toEqual([
      "add",
      2,
    ]);
    const Observed = aisentry.observe(Counter as never) as typeof Counter;
    expect(new Observed(5).add(1)).toBe(6);
    expect(new Observed()).toBeInstanceOf(Counter);
    expect(Observed.made).toBe(3);
    const tagged = Object.assign(() => 1, { label: "x" });
    expect(aisentry.observe(tagged).label).toBe("x");
  });

  test("as a decorator of methods, static ones too", async () => {
    class Agent {
      #name = "clerk";
      @aisentry.observe
      plain(question: string) {
        return `${this.#name}: ${question}`;
      }
      @aisentry.observe({ kind: "tool" })
      async search(query: string) {
        await Promise.resolve();
        return [this.#name, query];
      }
      @aisentry.observe({ name: "all" })
      static async *words() {
        yield* ["a", "b"];
      }
    }
    receiver.events.clear();
    expect(new Agent().plain("x")).toBe("clerk: x");
    expect(await new Agent().search("y")).toEqual(["clerk", "y"]);
    const words: string[] = [];
    for await (const word of Agent.words()) words.push(word);
    expect(words).toEqual(["a", "b"]);
    await aisentry.flush();
    const told = [...receiver.events.values()].map((
      event,
    ) => [event.event_type, event.name]);
    expect(told).toEqual([["span", "plain"], ["tool_call", "search"], [
      "span",
      "all",
    ]]);
  });

  test("a promise of a library's own kind stays itself and is awaited once", async () => {
    class Lazy<T> extends Promise<T> {
      started = 0;
      #work: () => T;
      constructor(work: () => T) {
        super((resolve) => resolve(undefined as T));
        this.#work = work;
      }
      override then<A = T, B = never>(
        ok?: ((value: T) => A | PromiseLike<A>) | null,
        no?: ((thrown: unknown) => B | PromiseLike<B>) | null,
      ): Promise<A | B> {
        this.started++;
        return Promise.resolve().then(this.#work).then(ok, no);
      }
      extra() {
        return "more";
      }
    }
    receiver.events.clear();
    const lazy = aisentry.observe(() => new Lazy(() => 42))();
    expect([lazy instanceof Lazy, lazy.started, lazy.extra()]).toEqual([
      true,
      0,
      "more",
    ]);
    expect(await lazy).toBe(42);
    expect(lazy.started).toBe(1);
    const failing = aisentry.observe(function failing() {
      return new Lazy(() => {
        throw new RangeError("no");
      });
    })();
    expect(String(await failing.then(null, (error: unknown) => error))).toBe(
      "RangeError: no",
    );
    await aisentry.flush();
    const told = [...receiver.events.values()].map((
      event,
    ) => [event.status ?? "success", event.output]);
    expect(told).toEqual([["success", 42], ["error", undefined]]);
  });
});

const providers: ProviderName[] = ["openai", "anthropic", "google_genai"];

describe(`wrapped clients, ${triedSet}`, () => {
  let standIn: StandIn;
  let folder: string;
  beforeAll(async () => {
    folder = await libraries(triedSet);
    standIn = startStandIn();
  }, 300_000);
  afterAll(() => standIn[Symbol.dispose]());

  const pair = async (
    name: ProviderName,
    exchange: string,
  ): Promise<[Loose, Loose]> => {
    standIn.exchanges.splice(0, Infinity, exchange);
    const bare = await makeClient(folder, name, standIn.url);
    const wrapped = await makeClient(folder, name, standIn.url);
    expect(aisentry.wrap(wrapped)).toBe(wrapped);
    return [bare, wrapped];
  };
  const question = {
    model: "m",
    messages: [{ role: "user", content: "Hi" }],
    max_tokens: 9,
  };

  test.each(providers)(
    "%s: it stays what it is, and is wrapped once",
    async (name) => {
      const [bare, wrapped] = await pair(name, "openai_chat");
      expect(Object.keys(wrapped)).toEqual(Object.keys(bare));
      expect(Object.getPrototypeOf(wrapped)).toBe(Object.getPrototypeOf(bare));
      const before = wrapped.makeRequest ?? wrapped.apiClient?.request;
      aisentry.wrap(wrapped);
      expect(wrapped.makeRequest ?? wrapped.apiClient?.request).toBe(before);
    },
  );

  test("an answer, its class, and what else the promise can do", async () => {
    const clients = await pair("openai", "openai_chat");
    const [bare, wrapped] = await Promise.all(clients.map(async (client) => {
      const promise = client.chat.completions.create(question);
      const plain = await promise;
      const { data, response } = await client.chat.completions.create(question)
        .withResponse();
      const raw = await client.chat.completions.create(question).asResponse();
      return [
        promise.constructor.name,
        Object.prototype.toString.call(promise),
        plain,
        data,
        [
          response.status,
          response.constructor.name,
          response.headers.get("content-type"),
        ],
        [raw.status, raw.bodyUsed, await raw.json()],
      ];
    }));
    expect(wrapped).toEqual(bare);
  });

  test("streams: pieces, tee, early break, abort", async () => {
    const clients = await pair("openai", "openai_chat_stream");
    const read = async (stream: Loose, most = Infinity) => {
      const pieces: unknown[] = [];
      for await (const piece of stream) if (pieces.push(piece) >= most) break;
      return pieces;
    };
    const [bare, wrapped] = await Promise.all(clients.map(async (client) => {
      const open = () => client.chat.completions.create({ ...question, stream: true });
      const [one, other] = (await open()).tee();
      const broken = await open();
      const aborted = await open();
      const iterator = aborted[Symbol.asyncIterator]();
      await iterator.next();
      aborted.controller.abort();
      const early = new AbortController();
      early.abort();
      return [
        (await open()).constructor.name,
        await read(await open()),
        await Promise.all([read(one), read(other)]),
        [await read(broken, 2), broken.controller.signal.aborted],
        aborted.controller.signal.aborted,
        await outcome(() => client.chat.completions.create(question, { signal: early.signal }))
          .then(([kind, error]) => [kind, (error as Error).constructor.name]),
      ];
    }));
    expect(wrapped).toEqual(bare);
  });

  test("errors are the library's own", async () => {
    for (const name of ["openai", "anthropic"] as const) {
      const clients = await pair(name, "anthropic_error");
      const [bare, wrapped] = await Promise.all(clients.map(async (client) => {
        const api = name === "openai" ? client.chat.completions : client.messages;
        const [kind, error] = await outcome(() => api.create(question));
        const { constructor, status, message } = error as Error & {
          status: number;
        };
        return [kind, constructor, status, message];
      }));
      expect(wrapped).toEqual(bare);
    }
  });

  test("helpers: parse, stream helpers, withOptions", async () => {
    const [, wrapped] = await pair("openai", "openai_chat_stream");
    receiver.events.clear();
    const completions = wrapped.chat.completions.stream
      ? wrapped.chat.completions
      : wrapped.beta.chat.completions;
    const runner = completions.stream({ ...question, stream: true });
    expect(await runner.finalContent()).toBe("1, 2, 3, 4, 5");
    standIn.exchanges.splice(0, Infinity, "openai_chat");
    const parsed = await completions.parse(question);
    expect(parsed.choices[0].message.content).toBe("2 + 2 = 4.");
    const copies = wrapped.withOptions === undefined ? 0 : 1;
    if (copies > 0) {
      await wrapped.withOptions({ timeout: 1000 }).chat.completions.create(
        question,
      );
    }
    const [, anthropic] = await pair("anthropic", "anthropic_stream");
    const message = await anthropic.messages.stream({ ...question })
      .finalMessage();
    expect(message.stop_reason).toBe("end_turn");
    await aisentry.flush();
    const events = [...receiver.events.values()];
    expect(events.map((event) => event.response)).toEqual([
      "1, 2, 3, 4, 5",
      "2 + 2 = 4.",
      ...Array(copies).fill("2 + 2 = 4."),
      expect.stringMatching("legitimate task"),
    ]);
  });

  test("a client without a recorder, and what is no client", async () => {
    await aisentry.close();
    const [bare, wrapped] = await pair("openai", "openai_chat");
    const asked = (client: Loose) => client.chat.completions.create(question);
    expect(await asked(wrapped)).toEqual(await asked(bare));
    for (
      const odd of [
        null,
        undefined,
        1,
        "x",
        {},
        () => 1,
        Object.freeze({ makeRequest() {} }),
      ]
    ) {
      expect(aisentry.wrap(odd)).toBe(odd);
    }
  });
});
