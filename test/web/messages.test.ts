// Every provider's way to write a message is read; what is not recognised is kept as it is.
import { describe, expect, test } from "bun:test";
import { type Message, promptMessages, responseMessages } from "../../web/parts/messages.ts";

const text = (role: string, said: string): Message => ({
  role,
  name: null,
  parts: [{ kind: "text", text: said }],
});

describe("prompts", () => {
  const chat = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello" }];
  const told = [text("system", "Be brief."), text("user", "Hello")];
  const cases: [name: string, prompt: unknown, messages: Message[]][] = [
    ["a string", "Hello", [text("user", "Hello")]],
    ["nothing", null, []],
    ["OpenAI", chat, told],
    ["sent as text", JSON.stringify(chat), told],
    ["a whole request", { model: "gpt-5", messages: chat }, told],
    [
      "Anthropic with system",
      {
        system: "Be brief.",
        messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
      },
      told,
    ],
    [
      "OpenTelemetry parts",
      [{ role: "user", parts: [{ type: "text", content: "Hello" }] }],
      [text("user", "Hello")],
    ],
    ["Gemini", { contents: [{ role: "user", parts: [{ text: "Hello" }] }] }, [
      text("user", "Hello"),
    ]],
    ["LangChain", [{ type: "human", content: "Hello" }], [text("user", "Hello")]],
    [
      "OpenAI tool result",
      [{ role: "tool", tool_call_id: "c1", content: '{"ok":true}' }],
      [{
        role: "tool",
        name: null,
        parts: [{ kind: "tool_result", id: "c1", name: null, output: { ok: true } }],
      }],
    ],
    [
      "Anthropic tool result",
      [{ role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "done" }] }],
      [{
        role: "user",
        name: null,
        parts: [{ kind: "tool_result", id: "c1", name: null, output: "done" }],
      }],
    ],
    ["JSON that is no message", { a: 1 }, [{
      role: "user",
      name: null,
      parts: [{ kind: "json", value: { a: 1 } }],
    }]],
    ["text that looks like JSON", '{"a": 1}', [text("user", '{"a": 1}')]],
    ["broken JSON", '[{"role": "user"', [text("user", '[{"role": "user"')]],
  ];
  test.each(cases)("%s", (_name, prompt, messages) => {
    expect(promptMessages(prompt)).toEqual(messages);
  });
});

describe("responses", () => {
  const call = { kind: "tool_call", id: "c1", name: "look", input: { at: "x" } } as const;
  const openAiCall = {
    id: "c1",
    type: "function",
    function: { name: "look", arguments: '{"at":"x"}' },
  };
  const asked: Message = { role: "assistant", name: null, parts: [call] };
  const cases: [name: string, response: unknown, calls: unknown, messages: Message[]][] = [
    ["a string", "Hi", null, [text("assistant", "Hi")]],
    ["OpenAI completion", { choices: [{ message: { role: "assistant", content: "Hi" } }] }, null, [
      text("assistant", "Hi"),
    ]],
    ["only tool calls", null, [openAiCall], [asked]],
    ["the same call twice is one", { role: "assistant", content: null, tool_calls: [openAiCall] }, [
      openAiCall,
    ], [asked]],
    [
      "Anthropic",
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "c1", name: "look", input: { at: "x" } }],
      },
      null,
      [
        asked,
      ],
    ],
    ["bare call", "", [{ id: "c1", name: "look", arguments: { at: "x" } }], [asked]],
    [
      "OpenAI responses",
      { output: [{ type: "function_call", call_id: "c1", name: "look", arguments: '{"at":"x"}' }] },
      null,
      [
        asked,
      ],
    ],
    ["thinking", [{ type: "thinking", thinking: "Hm" }, { type: "text", text: "Hi" }], null, [{
      role: "assistant",
      name: null,
      parts: [{ kind: "reasoning", text: "Hm" }, { kind: "text", text: "Hi" }],
    }]],
  ];
  test.each(cases)("%s", (_name, response, calls, messages) => {
    expect(responseMessages(response, calls)).toEqual(messages);
  });
});
