// Prompts and responses of every provider's shape become one conversation.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  callMessages,
  type Message,
  promptMessages,
  responseMessages,
} from "../../web/parts/messages.ts";
import { checks } from "../check.ts";

const said = (role: string, text: string): Message => ({
  role,
  name: null,
  parts: [{ kind: "text", text }],
});
const call = (id: string | null, name: string, input: unknown) =>
  ({ kind: "tool_call", id, name, input }) as const;

const prompt = checks("prompt", promptMessages);
const openai = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];
const conversation = [said("system", "Be brief."), said("user", "Hello")];

prompt("none", null, []);
prompt("text", "Hello", [said("user", "Hello")]);
prompt("messages", openai, conversation);
prompt("messages as JSON text", JSON.stringify(openai), conversation);
prompt("a request body", { model: "m", messages: openai }, conversation);
prompt("a request body with its system text apart", {
  system: "Be brief.",
  messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
}, conversation);
prompt("Gemini's contents", {
  systemInstruction: { parts: [{ text: "Be brief." }] },
  contents: [{ role: "user", parts: [{ text: "Hello" }] }],
}, conversation);
prompt("LangChain's messages", [
  { type: "system", content: "Be brief." },
  { type: "human", content: "Hello" },
], conversation);
prompt("text that only looks like JSON", "[not json", [said("user", "[not json")]);
prompt("a result of a tool", [{ role: "tool", tool_call_id: "c1", content: '{"seats":2}' }], [
  {
    role: "tool",
    name: null,
    parts: [{ kind: "tool_result", id: "c1", name: null, output: { seats: 2 } }],
  },
]);
prompt("Anthropic's result of a tool", [{
  role: "user",
  content: [{ type: "tool_result", tool_use_id: "c1", content: "2 seats" }],
}], [
  {
    role: "user",
    name: null,
    parts: [{ kind: "tool_result", id: "c1", name: null, output: "2 seats" }],
  },
]);
prompt("a role that is also a name of every object", [{ role: "constructor", content: "Hi" }], [
  said("constructor", "Hi"),
]);
prompt("what is no message", { temperature: 1 }, [
  { role: "user", name: null, parts: [{ kind: "json", value: { temperature: 1 } }] },
]);

const response = checks(
  "response",
  ([answer, calls]: [unknown, unknown]) => responseMessages(answer, calls),
);
const openaiCall = {
  id: "c1",
  type: "function",
  function: { name: "find_seats", arguments: '{"date":"2026-01-02"}' },
};
const seats = call("c1", "find_seats", { date: "2026-01-02" });
const assistant = (...parts: Message["parts"]): Message => ({
  role: "assistant",
  name: null,
  parts,
});

response("text", ["Hi!", null], [said("assistant", "Hi!")]);
response("only calls", [null, [openaiCall]], [assistant(seats)]);
response("text and calls", ["One moment.", [openaiCall]], [
  assistant({ kind: "text", text: "One moment." }, seats),
]);
response("a call that stands in both is told once", [
  { role: "assistant", content: null, tool_calls: [openaiCall] },
  [openaiCall],
], [assistant(seats)]);
response("OpenAI's whole answer", [{
  choices: [{ message: { role: "assistant", content: "Hi!" } }],
}, null], [said("assistant", "Hi!")]);
response("Anthropic's whole answer", [{
  type: "message",
  role: "assistant",
  content: [
    { type: "thinking", thinking: "Hm." },
    { type: "text", text: "Hi!" },
    { type: "tool_use", id: "c1", name: "find_seats", input: { date: "2026-01-02" } },
  ],
}, null], [
  assistant({ kind: "reasoning", text: "Hm." }, { kind: "text", text: "Hi!" }, seats),
]);
response("Gemini's whole answer", [{
  candidates: [{ content: { role: "model", parts: [{ text: "Hi!" }] } }],
}, null], [said("assistant", "Hi!")]);

test("nothing that is sent throws, or is lost without a trace", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), fc.jsonValue(), (value, calls) => {
    const messages = [...promptMessages(value), ...responseMessages(value, calls)];
    const isNothing = value === null || value === "";
    if (!isNothing && !Array.isArray(value)) expect(messages.length).toBeGreaterThan(0);
  }));
});

test("messages nested without end stay JSON", () => {
  let nested: unknown = "end";
  for (let depth = 0; depth < 2000; depth++) {
    nested = { messages: [{ role: "user", content: nested }] };
  }
  expect(promptMessages(nested).length).toBe(1);
});

const given = checks(
  "call",
  ([prompt, system]: [unknown, unknown]) =>
    callMessages(prompt, system).map(({ role, parts }) => [role, parts]),
);
const say = (words: string): Message["parts"] => [{ kind: "text", text: words }];
given("instructions come first", ["hi", [{ type: "text", content: "be kind" }]], [
  ["system", say("be kind")],
  ["user", say("hi")],
]);
given("instructions that the messages repeat are told once", [
  [{ role: "system", content: "be kind" }, { role: "user", content: "hi" }],
  "be kind",
], [["system", say("be kind")], ["user", say("hi")]]);

const blob = "blob:sha256-" + "a".repeat(64) + "?type=image/png&bytes=9";
const media = checks(
  "media",
  (value: unknown) =>
    promptMessages([{ role: "user", content: [value] }]).flatMap(({ parts }) =>
      parts.map((part) => part.kind === "media" ? part.source : part.kind)
    ),
);
media("OpenAI image", { type: "image_url", image_url: { url: blob } }, [blob]);
media("OpenAI sound", { type: "input_audio", input_audio: { data: blob, format: "wav" } }, [blob]);
media("OpenAI file", { type: "file", file: { file_data: blob } }, [blob]);
media("Anthropic", {
  type: "image",
  source: { type: "base64", media_type: "image/png", data: blob },
}, [blob]);
media("Gemini", { inlineData: { mimeType: "image/png", data: blob } }, [blob]);
media("OpenTelemetry", { type: "blob", modality: "image", content: blob }, [blob]);
media("Vercel AI SDK", { type: "file", mediaType: "image/png", data: blob }, [blob]);
