// A run as one chat: everything that was said, once, in order, however the calls repeat it.
import type { FullEvent } from "../../web/api.ts";
import { chatOf } from "../../web/parts/chat.ts";
import { messageText } from "../../web/parts/messages.ts";
import { checks } from "../check.ts";

/** Roles and texts, which is what a reader sees. */
const told = checks(
  "told",
  (events: object[]) =>
    chatOf(events as FullEvent[]).map(({ message }) => `${message.role}: ${messageText(message)}`),
);

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const call = (prompt: unknown, response: unknown, more: object = {}) => ({
  event_type: "prompt_call",
  status: "success",
  prompt,
  response,
  ...more,
});

told("nothing", [], []);
told("a call", [call("Hi", "Hello!")], ["user: Hi", "assistant: Hello!"]);
told("calls that repeat what went before", [
  call([user("Hi")], "Hello!"),
  call([user("Hi"), assistant("Hello!"), user("Bye")], "See you."),
], ["user: Hi", "assistant: Hello!", "user: Bye", "assistant: See you."]);
told("the same words again are said again", [
  call([user("Cancel it")], "Are you sure?"),
  call([user("Cancel it"), assistant("Are you sure?"), user("yes")], "And the other one?"),
  call([
    user("Cancel it"),
    assistant("Are you sure?"),
    user("yes"),
    assistant("And the other one?"),
    user("yes"),
  ], "Are you sure?"),
], [
  "user: Cancel it",
  "assistant: Are you sure?",
  "user: yes",
  "assistant: And the other one?",
  "user: yes",
  "assistant: Are you sure?",
]);
const asked = {
  role: "assistant",
  content: null,
  tool_calls: [{
    id: "c1",
    type: "function",
    function: { name: "find", arguments: '{"to":"OPO"}' },
  }],
};
const tool = (more: object) => ({
  event_type: "tool_call",
  status: "success",
  tool_name: "find",
  input: { to: "OPO" },
  ...more,
});
told("a tool where it ran, its result once", [
  call([user("Porto")], asked),
  tool({ tool_call_id: "c1", output: "2 seats" }),
  call([user("Porto"), asked, { role: "tool", tool_call_id: "c1", content: "2 seats" }], "Found."),
], [
  "user: Porto",
  'assistant: find({\n  "to": "OPO"\n})',
  "tool: 2 seats",
  "assistant: Found.",
]);
told("a tool that failed says why", [
  tool({ status: "error", error: { message: "Sold out", type: "Full" } }),
], ['tool: find({\n  "to": "OPO"\n})\n\nFull: Sold out']);
told("a call that failed says why", [
  call([user("Hi")], null, { status: "error", error: { message: "Overloaded" } }),
], ["user: Hi", "error: Overloaded"]);
