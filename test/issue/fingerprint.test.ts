// What fails alike is one issue, whatever differs between occurrences; what does not is another.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Event } from "../../src/event.ts";
import { issueOf, setIssue } from "../../src/issue/fingerprint.ts";
import { frameOf } from "../../src/issue/frame.ts";
import { messageCharactersMax, templateOf } from "../../src/issue/template.ts";
import { receiveEvent } from "../../src/receive/event.ts";

function received(value: Record<string, unknown>): Event {
  const verdict = receiveEvent(value, {
    received_at: "2026-01-31T12:00:00.000000Z",
    project_id: "shop",
    latestMs: Infinity,
    newId: () => "new",
  });
  if ("rejection" in verdict) throw new Error(verdict.rejection.message);
  return verdict.event;
}
const of = (value: Record<string, unknown>) => issueOf(received(value));

const python = (line: number, name = "answer") =>
  [
    "Traceback (most recent call last):",
    `  File "/srv/app/main.py", line ${line}, in main`,
    "    run()",
    `  File "/srv/app/shop/answer.py", line ${line + 2}, in ${name}`,
    "    client.post()",
    '  File "/usr/lib/python3.12/site-packages/httpx/_client.py", line 914, in send',
    "    raise exc",
    "httpx.ReadTimeout: timed out",
  ].join("\n");
const javascript = (line: number) =>
  [
    "TypeError: Cannot read properties of undefined (reading 'id')",
    `    at openaiFetch (/srv/node_modules/openai/core.js:${line}:11)`,
    `    at async answer (file:///srv/app/answer.ts:${line}:5)`,
    "    at node:internal/process/task_queues:95:5",
  ].join("\n");

const error = (more: Record<string, unknown>) => ({ event_type: "error", error: more });
const call = (more: Record<string, unknown>) => ({
  event_type: "prompt_call",
  provider: "openai",
  model: "gpt-5",
  ...more,
});
const tool = (more: Record<string, unknown>) => ({
  event_type: "tool_call",
  tool_name: "search",
  status: "error",
  ...more,
});

describe("one issue", () => {
  test.each<[string, Record<string, unknown>[], string, string, string | null]>([
    [
      "an exception, by type and frame, whatever it says and on whatever line",
      [
        error({ type: "ReadTimeout", message: "timed out after 30s", stack: python(12) }),
        error({ type: "ReadTimeout", message: "no answer", stack: python(99) }),
        { ...error({ type: "ReadTimeout", message: "x" }), stack_trace: python(5) },
      ],
      "exception",
      "ReadTimeout: timed out after <num>",
      "answer.py in answer",
    ],
    [
      "an exception without a stack, by its words",
      [
        error({ type: "KeyError", message: "no user 4711 in 'eu-west-1'" }),
        error({ type: "KeyError", message: "no user 12 in 'us-east-2'" }),
      ],
      "exception",
      "KeyError: no user <num> in <str>",
      null,
    ],
    [
      "a provider's code, whatever the organisation and the limit",
      [
        call({
          error: {
            type: "openai.RateLimitError",
            message: "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-5 in " +
              "organization org-abc123def456', 'code': 'rate_limit_exceeded'}}",
          },
        }),
        call({
          error: {
            type: "RateLimitError",
            code: "rate_limit_exceeded",
            message: "Status code: 429, slow down",
          },
        }),
      ],
      "provider_error",
      "429 rate_limit_exceeded: openai.RateLimitError: Error code: <num> - {<str>: {<str>: <str>, <str>: <str>}}",
      "openai",
    ],
    [
      "a tool's error",
      [
        tool({ error: "Order 8123 not found: 404 at https://api.example.com/r/8" }),
        tool({ error: "Order 7 not found: 404 at https://api.example.com/r/7" }),
      ],
      "tool_error",
      "Order <num> not found: <num> at <url>",
      "search",
    ],
    [
      "an answer cut off, in any provider's word",
      ["length", "max_tokens", "MAX_TOKENS"].map((finish_reason) =>
        call({ name: "summarise", finish_reason, response: "a" })
      ),
      "truncation",
      "Answer cut off at the token limit",
      "summarise",
    ],
    [
      "a refusal",
      [
        call({ name: "chat", finish_reason: "content_filter" }),
        call({ name: "chat", finish_reason: "SAFETY", response: "" }),
        call({ name: "chat", response: [{ role: "assistant", refusal: "I cannot." }] }),
        call({ name: "chat", error: { code: "content_filter", message: "blocked" } }),
      ],
      "refusal",
      "Refused: content filter",
      "chat",
    ],
    [
      "an empty answer",
      [
        call({ response: "" }),
        call({ response: " \n" }),
        call({
          response: {
            role: "assistant",
            content: "",
            additional_kwargs: { refusal: null },
            response_metadata: { tokens: 3 },
            tool_calls: [],
          },
        }),
        call({ response: [{ role: "assistant", content: "" }] }),
        call({ response: { role: "assistant", content: [{ type: "text", text: " " }] } }),
      ],
      "empty_answer",
      "Empty answer",
      "gpt-5",
    ],
    [
      "a breach of the form that was asked for",
      [
        call({ error: { type: "pydantic.ValidationError", message: "3 validation errors" } }),
        call({ error: { type: "ValidationError", message: "1 validation error for Order" } }),
      ],
      "schema_breach",
      "pydantic.ValidationError: <num> validation errors",
      "gpt-5",
    ],
    [
      "an assertion",
      [
        { event_type: "assertion_failed", assertion_name: "polite", actual: "no" },
        { event_type: "assertion_failed", assertion_name: "polite", expected: "yes" },
      ],
      "assertion",
      "polite",
      null,
    ],
    [
      "a hallucination",
      [
        { event_type: "hallucination_detected", name: "faq", detection_method: "heuristic" },
        {
          event_type: "hallucination_detected",
          name: "faq",
          detection_method: "heuristic",
          status: "warning",
        },
      ],
      "hallucination",
      "Hallucination, by heuristic",
      "faq",
    ],
    [
      "what the producer says is one",
      [
        { ...tool({ error: "a" }), fingerprint: "search is down" },
        { ...error({ message: "b" }), fingerprint: "search is down" },
      ],
      "tool_error",
      "a",
      "search",
    ],
  ])("%s", (_name, events, kind, title, place) => {
    const found = events.map((event) => of(event));
    expect(new Set(found.map((one) => one?.issue)).size).toBe(1);
    expect(found[0]!.issue).toMatch(/^i1_[0-9a-f]{16}$/);
    expect(found[0]).toMatchObject({
      issue_kind: kind,
      ...title === "" ? {} : { issue_title: title },
      issue_place: place,
    });
  });
});

test("different failures are different issues", () => {
  const different = [
    error({ type: "ReadTimeout", stack: python(1) }),
    error({ type: "ConnectError", stack: python(1) }),
    error({ type: "ReadTimeout", stack: python(1, "rank") }),
    error({ type: "TypeError", stack: javascript(4) }),
    error({ message: "no such user" }),
    error({ message: "no such order" }),
    tool({ error: "no such order" }),
    tool({ error: "no such order", tool_name: "book" }),
    tool({}),
    tool({ status: "timeout", error: { type: "Timeout" } }),
    call({ error: { code: "rate_limit_exceeded" } }),
    call({ error: { code: "context_length_exceeded" } }),
    call({ error: { code: "rate_limit_exceeded" }, provider: "anthropic" }),
    call({ error: { code: 500 } }),
    call({ error: { code: 503 } }),
    call({ error: { code: 400, message: "no tool output found" } }),
    call({ error: { code: 400, message: "unknown effort" } }),
    call({ error: { code: "invalid_request_error", message: "no tool output found" } }),
    call({ error: { code: "invalid_request_error", message: "unknown effort" } }),
    call({ finish_reason: "length" }),
    call({ finish_reason: "content_filter" }),
    call({ response: "" }),
    call({ finish_reason: "length", name: "other" }),
    { event_type: "assertion_failed", assertion_name: "polite" },
    { event_type: "assertion_failed", assertion_name: "polite", assertion_type: "response_format" },
    { event_type: "span", status: "error", name: "one" },
    { event_type: "span", status: "error", name: "two" },
    { ...error({ message: "no such user" }), fingerprint: "one" },
    { ...error({ message: "no such user" }), fingerprint: "two" },
  ].map((event) => of(event)?.issue);
  expect(different).not.toContain(undefined);
  expect(new Set(different).size).toBe(different.length);
});

test.each<[string, Record<string, unknown>]>([
  ["an answer", call({ response: "hi", finish_reason: "stop" })],
  ["an answer that was not recorded", call({ finish_reason: "stop" })],
  ["a call of a tool without words", call({ response: "", tool_calls: [{ name: "search" }] })],
  ["the same in a message", call({ response: [{ content: null, tool_calls: [{ id: "1" }] }] })],
  [
    "a call as a framework keeps it",
    call({
      response: {
        role: "assistant",
        content: "",
        additional_kwargs: { tool_calls: [{ id: "1" }], refusal: null },
      },
    }),
  ],
  ["a picture", call({ response: [{ content: [{ type: "image", url: "x" }] }] })],
  ["JSON", call({ response: { total: 3 } })],
  ["an empty list of a structured answer", call({ response: { content: [{ type: "json" }] } })],
  ["a tool that ran", { event_type: "tool_call", tool_name: "search", output: "" }],
  ["a warning", { event_type: "span", status: "warning" }],
  ["an alert of ours", { event_type: "performance_alert", status: "error" }],
  ["a score", { event_type: "score", name: "thumbs", score_value: 0 }],
  ["a fingerprint of what did not fail", { event_type: "span", fingerprint: "x" }],
])("no issue: %s", (_name, event) => {
  expect(of(event)).toBeNull();
});

test("ids stay as they are from version to version", () => {
  expect([
    of(error({ type: "ReadTimeout", stack: python(1) })),
    of(tool({ error: "Order 17 not found" })),
    of(call({ error: { code: "rate_limit_exceeded" } })),
    of(call({ finish_reason: "length", name: "summarise" })),
    of({ ...error({ message: "x" }), fingerprint: "search is down" }),
  ].map((one) => one?.issue)).toEqual([
    "i1_241d8e1df4cd8a69",
    "i1_7021151ff176093e",
    "i1_9c56983339e69145",
    "i1_347e6ff431788e61",
    "i1_4b1ac346ee0f0332",
  ]);
});

test("what was stored of an issue goes when the event is none any more", () => {
  const event = received(error({ message: "x" }));
  setIssue(event);
  expect(event.issue).toBeString();
  event.status = "success";
  event.event_type = "span";
  setIssue(event);
  expect(Object.keys(event).filter((name) => name.startsWith("issue"))).toEqual([]);
});

describe("template", () => {
  test.each([
    [
      "Order 17 of user-9 (-4) took 3.5s (12%)",
      "Order <num> of user-<num> (<num>) took <num> (<num>)",
    ],
    ["id 5f2b8c1e-8d1a-4a57-9a3e-0123456789ab", "id <uuid>"],
    ["at 2026-01-31T12:00:00.123Z from 10.0.0.7:443", "at <time> from <ip>"],
    ["GET https://api.example.com/v1/x?y=1 failed", "GET <url> failed"],
    ["no such file: /var/lib/app/data.json", "no such file: <path>"],
    ["cannot open C:\\Users\\ann\\x.txt", "cannot open <path>"],
    ["and/or, input/output", "and/or, input/output"],
    ["pointer 0xdeadbeef, digest 9f86d081884c7d65", "pointer <hex>, digest <hex>"],
    ["request req_011CZkq9fh7 of call_9hVx2Ab1", "request <id> of <id>"],
    [`unknown field "colour" in 'paint'`, "unknown field <str> in <str>"],
    ["can't and won't", "can't and won't"],
    ["mail ann@example.com now", "mail <email> now"],
    ["a\n  b\tc", "a b c"],
    ["utf8 and h2 stay, item1234 does not", "utf8 and h2 stay, item<num> does not"],
    ["<num> is <num>", "<num> is <num>"],
    ["[EMAIL_ADDRESS] was masked", "[EMAIL_ADDRESS] was masked"],
  ])("%s", (message, expected) => {
    expect(templateOf(message)).toBe(expected);
  });

  const pieces = fc.array(
    fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom("'", '"', "`", "“", "”", "<", ">", "/", "\\", "-", "_", ".", ":", "@", "0x"),
      fc.constantFrom(
        "<num>",
        "<str>",
        "1",
        "12",
        "a1b2c3d4e5",
        "req_",
        "https://",
        " ",
        "é",
        "\ud83d",
      ),
      fc.uuid(),
      fc.nat().map(String),
    ),
    { maxLength: 40 },
  ).map((parts) => parts.join(""));

  test("of a template it is the template", () => {
    fc.assert(
      fc.property(pieces, (text) => {
        const template = templateOf(text);
        expect(templateOf(template)).toBe(template);
        expect(template.isWellFormed()).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("any number in a place gives the same", () => {
    const words = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(fc.property(words, words, fc.nat(), fc.nat(), (one, two, a, b) => {
      expect(templateOf(`${one} ${a} ${two}`)).toBe(templateOf(`${one} ${b} ${two}`));
    }));
  });

  test.each([
    ["quotes", "'".repeat(1e6)],
    ["slashes", "/a".repeat(1e6)],
    ["digits", "1".repeat(1e6)],
    ["dots", "1.".repeat(1e6)],
    ["hex", "a".repeat(1e6)],
    ["joints", "ab_".repeat(1e6)],
    ["at signs", "a@".repeat(1e6)],
    ["mixed", `'"\`<1/`.repeat(2e5)],
    ["letters and a colon", "abcdefgh:/".repeat(1e5)],
  ])("hostile text takes bounded time: %s", (_name, text) => {
    const began = performance.now();
    const template = templateOf(text);
    frameOf(text);
    frameOf(`File "${text}`);
    frameOf(`    at ${text}\n`.repeat(3));
    of(error({ message: text, type: text.slice(0, 1000), stack: text }));
    expect(performance.now() - began).toBeLessThan(200);
    expect(template.length).toBeLessThanOrEqual(messageCharactersMax * 6);
  });
});

test.each([
  ["the innermost of the program, in Python", python(7), "answer.py in answer"],
  ["and in JavaScript", javascript(7), "answer.ts in answer"],
  [
    "a bundle's hash is left out",
    "    at run (/x/assets/index-Dk3f9a2b.js:1:2)",
    "index.js in run",
  ],
  [
    "Java",
    "java.lang.IllegalStateException: x\n\tat java.base.Foo.bar(Foo.java:1)\n\tat com.shop.Cart.pay(Cart.java:12)",
    "Cart.java in com.shop.Cart.pay",
  ],
  [
    ".NET",
    "   at System.IO.File.Open()\n   at Shop.Cart.Pay(Int32 id) in /src/Cart.cs:line 12",
    "Cart.cs in Shop.Cart.Pay",
  ],
  ["only foreign frames", "  at send (/a/node_modules/x/y.js:1:1)", "y.js in send"],
  ["no frames", "it went wrong", null],
])("frame: %s", (_name, stack, expected) => {
  expect(frameOf(stack)).toBe(expected);
});
