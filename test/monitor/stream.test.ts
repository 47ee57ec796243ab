// Answers that come piece by piece: put together, timed, and broken off.
import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { anthropic } from "../../src/monitor/anthropic.ts";
import { check } from "../../src/monitor/check.ts";
import { openai } from "../../src/monitor/openai.ts";
import { deps, monitor, raw } from "./endpoint.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const never = new AbortController().signal;
const lines = (...events: unknown[]) =>
  events.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`);
const delta = (delta: object, finish_reason: string | null = null) => ({
  id: "c1",
  model: "gpt-4o-mini",
  choices: [{ index: 0, delta, finish_reason }],
});
const paris = lines(
  delta({ role: "assistant", content: "" }),
  delta({ content: "Par" }),
  delta({ content: "is." }),
  delta({}, "stop"),
  { id: "c1", choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } },
  "[DONE]",
);

/** Sends the pieces, the later half after so long. */
async function slowly(pieces: string[], ms: number): Promise<string> {
  const { url, stop } = await raw((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
    socket.write(pieces[0]!);
    setTimeout(() => socket.end(pieces.slice(1).join("")), ms);
  });
  closing.push(stop);
  return url;
}

test("the time to the first token is that of the first word, not of the first byte", async () => {
  const url = await slowly(paris, 150);
  const [only] = await check(
    monitor({ url, stream: true, assertions: [{ type: "first_token", max_ms: 50 }] }),
    {},
    deps(),
    never,
  );
  expect(only).toMatchObject({
    problem: "assertion_failed",
    answer: "Paris.",
    read: { tokens_input: 9, tokens_output: 3, finish_reason: "stop", model: "gpt-4o-mini" },
  });
  expect(only!.first_token_ms).toBeWithin(140, only!.latency_ms + 1);
});

test("an endpoint that answers whole is no stream", async () => {
  const { url, stop } = await raw((socket) => {
    const body = '{"choices":[{"message":{"content":"Paris."}}]}';
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  closing.push(stop);
  expect(await check(monitor({ url, stream: true }), {}, deps(), never))
    .toMatchObject([{ problem: null, answer: "Paris.", first_token_ms: null }]);
});

describe("pieces of OpenAI", () => {
  const call = (index: number, piece: string, id?: string) =>
    delta({ tool_calls: [{ index, id, function: { name: id && "look", arguments: piece } }] });
  const cases: [what: string, body: string, expected: unknown][] = [
    [
      "a tool call",
      lines(call(0, '{"a"', "t1"), call(0, ":1}"), delta({}, "tool_calls")).join(""),
      {
        text: "",
        tool_calls: [{ id: "t1", function: { name: "look", arguments: '{"a":1}' } }],
        finish_reason: "tool_calls",
      },
    ],
    ["comments between", `: keep-alive\n\n${paris.join(": on\n\n")}`, { text: "Paris." }],
    ["lines that end in two characters", paris.join("").replaceAll("\n", "\r\n"), {
      text: "Paris.",
    }],
    ["broken off", paris.slice(0, 2).join(""), "The stream ended before the answer did."],
    [
      "an error amid",
      lines(delta({ content: "P" }), { error: { type: "overloaded" } }).join(""),
      "The stream ended with an error (overloaded).",
    ],
    ["a call at a far place", lines(call(99_999_999, "x", "t"), delta({}, "stop")).join(""), {
      text: "",
    }],
  ];
  test.each(cases)("%s", (_what, body, expected) => {
    if (typeof expected === "string") expect<unknown>(openai.read(body)).toBe(expected);
    else expect(openai.read(body)).toMatchObject(expected as object);
  });
});

describe("pieces of Anthropic", () => {
  const start = {
    type: "message_start",
    message: { id: "m1", model: "claude-haiku-4-5", usage: { input_tokens: 7, output_tokens: 1 } },
  };
  const text = [
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Par" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "is." } },
  ];
  const tool = [
    { type: "content_block_start", index: 1, content_block: { type: "tool_use", name: "look" } },
    { type: "content_block_delta", index: 1, delta: { partial_json: '{"a":' } },
    { type: "content_block_delta", index: 1, delta: { partial_json: "1}" } },
  ];
  const end = [
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ];
  test("a text and a tool", () => {
    const body = lines(start, ...text, ...tool, ...end).join("");
    const before = lines(start, ...text.slice(0, 3)).join("");
    expect(anthropic.read(body)).toMatchObject({
      text: "Paris.",
      tool_calls: [{ name: "look", input: { a: 1 } }],
      tokens_input: 7,
      tokens_output: 5,
      finish_reason: "end_turn",
      // Up to the end of its line; the empty line after it does not count.
      first_token_bytes: Buffer.byteLength(before) - 1,
    });
  });
  test.each([
    ["broken off", lines(start, ...text), "The stream ended before the answer did."],
    [
      "an error amid",
      lines(start, { type: "error", error: { type: "overloaded_error" } }),
      "The stream ended with an error (overloaded_error).",
    ],
  ])("%s", (_what, pieces, expected) => {
    expect<unknown>(anthropic.read(pieces.join(""))).toBe(expected);
  });
});

test("no bytes make the readers throw", () => {
  const piece = fc.oneof(
    fc.jsonValue().map((value) => `data: ${JSON.stringify(value)}\n`),
    fc.constantFrom(...paris),
    fc.string().map((text) => `data: ${text}\n`),
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    for (const kind of [openai, anthropic]) kind.read(`data: {}\n${pieces.join("")}`);
  }));
});
