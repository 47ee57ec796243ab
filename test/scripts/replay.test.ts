// Recorded conversations become runs of model calls and tool calls, the same for the same seed.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversation, countReplays, planReplays } from "../../scripts/replay_tau_bench.ts";
import { startReceiver } from "../../sdk/js/test/receiver.ts";

const call = (id: string, name: string, args: string) => ({
  role: "assistant" as const,
  content: null,
  tool_calls: [{ id, type: "function", function: { name, arguments: args } }],
});
const system = { role: "system" as const, content: "You help with flights." };

const conversations: Conversation[] = [
  {
    task_id: 0,
    trial: 0,
    reward: 1,
    info: { task: { user_id: "ada_1815" } },
    traj: [
      system,
      { role: "user", content: "What have I booked?" },
      call("call_1", "get_user", '{"user_id": "ada_1815"}'),
      { role: "tool", tool_call_id: "call_1", name: "get_user", content: '{"booked": ["ABC"]}' },
      { role: "assistant", content: "ABC." },
      { role: "user", content: "Thank you. ###STOP###" },
    ],
  },
  {
    task_id: 2,
    trial: 1,
    reward: 0,
    info: { task: { user_id: "alan_1912" } },
    traj: [
      system,
      { role: "user", content: "Cancel XYZ." },
      // Both calls have one id, and the arguments of the second are cut short.
      call("call_2", "calculate", '{"expression": "1 + 1"}'),
      { role: "tool", tool_call_id: "call_2", name: "calculate", content: "2.0" },
      call("call_2", "cancel", '{"id": '),
      { role: "tool", tool_call_id: "call_2", name: "cancel", content: "Error: XYZ not found" },
    ],
  },
];

const untilMs = Date.parse("2026-01-31T12:00:00.000Z");

test("the counts are those of the recordings", () => {
  expect(countReplays(planReplays(conversations, 1, untilMs))).toEqual({
    runs: 2,
    prompt_calls: 4,
    tool_calls: 3,
    tool_errors: 1,
    scores: 2,
  });
});

test("a conversation, event by event", () => {
  const [first, second] = planReplays(conversations, 1, untilMs);
  const [ask, tool, answer, reward] = first!.events;
  expect(first!.run).toMatchObject({
    run_id: "tau-bench-airline-0-0",
    name: "airline_agent",
    user_id: "ada_1815",
    session_id: "tau-bench-airline-ada_1815",
    attributes: { task_id: 0, trial: 0 },
  });
  expect(ask).toMatchObject({
    event_type: "prompt_call",
    provider: "openai",
    model: "gpt-4o",
    prompt: conversations[0]!.traj.slice(0, 2),
    tool_calls: [{ id: "call_1" }],
    finish_reason: "tool_calls",
  });
  expect(tool).toMatchObject({
    event_type: "tool_call",
    tool_name: "get_user",
    tool_call_id: "call_1",
    input: { user_id: "ada_1815" },
    output: { booked: ["ABC"] },
    status: "success",
  });
  expect(answer).toMatchObject({ response: "ABC.", finish_reason: "stop" });
  expect(answer!.prompt).toHaveLength(4);
  expect(reward).toMatchObject({ event_type: "score", name: "reward", score_value: 1 });
  expect(second!.events.filter((event) => event.event_type === "tool_call")).toMatchObject([
    { tool_name: "calculate", input: { expression: "1 + 1" }, output: "2.0", status: "success" },
    {
      tool_name: "cancel",
      input: '{"id": ',
      output: "Error: XYZ not found",
      status: "error",
      error: { message: "XYZ not found", type: "ToolError" },
    },
  ]);
  const known = [...first!.events, ...second!.events].map((event) => Object.keys(event)).flat();
  expect(known.filter((name) => name.startsWith("tokens") || name.startsWith("cost"))).toEqual([]);
});

test("the times come from the seed, in order, and end when they are told to", () => {
  const replays = planReplays(conversations, 1, untilMs);
  expect(planReplays(conversations, 1, untilMs)).toEqual(replays);
  expect(planReplays(conversations, 2, untilMs)).not.toEqual(replays);
  for (const { run, events } of replays) {
    let atMs = run.timestamp;
    for (const event of events) {
      expect(Number(event.timestamp)).toBeGreaterThanOrEqual(atMs);
      atMs = Number(event.timestamp) + (event.latency_ms ?? 0);
    }
    expect(run.timestamp + run.latency_ms).toBeGreaterThanOrEqual(atMs);
  }
  const [first, last] = replays.map(({ run }) => run);
  expect(last!.timestamp).toBeGreaterThan(first!.timestamp + first!.latency_ms);
  expect(last!.timestamp + last!.latency_ms).toBe(untilMs);
});

const program = join(import.meta.dir, "../../scripts/replay_tau_bench.ts");

async function replay(...args: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([process.execPath, program, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 30_000,
  });
  const [code, ...texts] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, output: texts.join("") };
}

test("the program replays a file, and a second time changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "watchllm-replay-"));
  using receiver = startReceiver();
  try {
    const file = join(folder, "conversations.json");
    await Bun.write(file, JSON.stringify(conversations));
    const counts = "runs 2\nprompt_calls 4\ntool_calls 3\ntool_errors 1\nscores 2\n";
    expect(await replay(file, "--dsn", receiver.dsn)).toEqual({
      code: 0,
      output: `accepted 11, of which known before 0\n${counts}`,
    });
    expect(await replay(file, "--dsn", receiver.dsn)).toEqual({
      code: 0,
      output: `accepted 11, of which known before 11\n${counts}`,
    });
    expect(await replay(file, "--dsn", receiver.dsn, "--limit", "1")).toEqual({
      code: 0,
      output: "accepted 5, of which known before 5\n" +
        "runs 1\nprompt_calls 2\ntool_calls 1\ntool_errors 0\nscores 1\n",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(receiver.complaints).toEqual([]);
  const events = [...receiver.events.values()];
  expect(events).toHaveLength(11);
  for (const one of conversations) {
    const run_id = `tau-bench-airline-${one.task_id}-${one.trial}`;
    const own = events.filter((event) => event.run_id === run_id);
    const span = own.find((event) => event.event_type === "span")!;
    for (const event of own) {
      expect(event).toMatchObject({ user_id: one.info.task.user_id, env: "replay" });
      expect(event.parent_span_id).toBe(event === span ? undefined : span.span_id);
    }
  }
});

const nobody = "http://a-key@127.0.0.1:1/p";
const mistakes: [what: string, args: string[], output: RegExp][] = [
  ["no arguments", [], /^Usage/],
  ["no DSN", ["good.json"], /^Usage/],
  ["not a DSN", ["good.json", "--dsn", "nonsense"], /not a DSN/],
  ["no such file", ["absent.json", "--dsn", nobody], /absent/],
  ["another file", ["other.json", "--dsn", nobody], /other.json is no recording: 0.traj/],
  ["a wrong limit", ["good.json", "--dsn", nobody, "--limit", "0.5"], /0.5 is not a whole number/],
  ["a wrong time", ["good.json", "--dsn", nobody, "--until", "later"], /later is not a time/],
];

test.each(mistakes)("a mistake is told: %s", async (_what, args, output) => {
  const folder = mkdtempSync(join(tmpdir(), "watchllm-replay-"));
  try {
    await Bun.write(join(folder, "good.json"), JSON.stringify(conversations));
    await Bun.write(join(folder, "other.json"), JSON.stringify([{ ...conversations[0], traj: 5 }]));
    const ended = await replay(
      ...args.map((arg) => arg.endsWith(".json") ? join(folder, arg) : arg),
    );
    expect(ended.output).toMatch(output);
    expect(ended.code).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
