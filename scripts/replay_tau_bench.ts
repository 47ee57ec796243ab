// Replays recorded conversations of an airline agent through the JavaScript SDK, as its program would
// have logged them: a run a conversation, with its model calls, tool calls, tool errors and reward.
//   bun scripts/replay_tau_bench.ts <gpt-4o-airline-even.json> --dsn <dsn> [--limit N] [--seed N]
//     [--until <ISO 8601>]
// The recordings are those of https://github.com/sierra-research/tau-bench. They hold neither times nor
// token counts. The times here are SYNTHETIC: drawn from the seed, of a plausible size, and laid out so
// that the last conversation ends at --until (now, unless given). Tokens stay unknown.
import { parseArgs } from "node:util";
import { z } from "zod";
import * as aisentry from "../sdk/js/src/index.ts";

const toolCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const message = z.looseObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
});

const conversation = z.looseObject({
  task_id: z.int(),
  trial: z.int().default(0),
  reward: z.number(),
  info: z.looseObject({ task: z.looseObject({ user_id: z.string() }) }),
  traj: z.array(message),
});

export type Conversation = z.infer<typeof conversation>;
type Message = z.infer<typeof message>;

/** One conversation as the calls of the SDK that it becomes. */
export interface Replay {
  run: aisentry.EventFields & { run_id: string; timestamp: number; latency_ms: number };
  events: aisentry.AnyEvent[];
}

export interface Counts {
  runs: number;
  prompt_calls: number;
  tool_calls: number;
  tool_errors: number;
  scores: number;
}

/** Milliseconds, from the least to the most, of everything that takes time. */
const synthetic = {
  userMs: [4000, 45_000],
  firstTokenMs: [250, 900],
  /** About 60 tokens a second. */
  characterMs: [3, 5],
  toolMs: [15, 400],
  betweenConversationsMs: [20_000, 240_000],
} as const satisfies Record<string, readonly [number, number]>;

/** How the benchmark's tools tell of a failure. */
const toolErrorPrefix = "Error: ";

/** A stream of numbers from 0 to 1 that is the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lays conversations out one after the other, so that the last one ends at `untilMs`. Pure. */
export function planReplays(
  conversations: readonly Conversation[],
  seed: number,
  untilMs: number,
): Replay[] {
  const draw = random(seed);
  let atMs = 0;
  const replays = conversations.map((one) => {
    const replay = planReplay(one, atMs, draw);
    atMs += replay.run.latency_ms + between(synthetic.betweenConversationsMs, draw);
    return replay;
  });
  const last = replays.at(-1)?.run;
  const shiftMs = last === undefined ? 0 : untilMs - last.timestamp - last.latency_ms;
  for (const { run, events } of replays) {
    run.timestamp += shiftMs;
    for (const event of events) event.timestamp = Number(event.timestamp) + shiftMs;
  }
  return replays;
}

function between([least, most]: readonly [number, number], draw: () => number): number {
  return Math.round(least + (most - least) * draw());
}

function planReplay(one: Conversation, startMs: number, draw: () => number): Replay {
  // Ids from the recording: a second replay repeats events, and the server keeps one of each.
  const run_id = `tau-bench-airline-${one.task_id}-${one.trial}`;
  const events: aisentry.AnyEvent[] = [];
  let atMs = startMs;
  one.traj.forEach((said, place) => {
    const event_id = `${run_id}-${place}`;
    if (said.role === "user") atMs += between(synthetic.userMs, draw);
    if (said.role === "assistant") {
      const firstTokenMs = between(synthetic.firstTokenMs, draw);
      const latency_ms = firstTokenMs + lengthOf(said) * between(synthetic.characterMs, draw);
      const prompt = one.traj.slice(0, place);
      events.push({
        event_id,
        timestamp: atMs,
        latency_ms,
        ...promptCall(said, prompt, firstTokenMs),
      });
      atMs += latency_ms;
    }
    if (said.role === "tool") {
      const latency_ms = between(synthetic.toolMs, draw);
      events.push({ event_id, timestamp: atMs, latency_ms, ...toolCallOf(said, one.traj) });
      atMs += latency_ms;
    }
  });
  const score = { event_type: "score", name: "reward", score_value: one.reward } as const;
  events.push({ event_id: `${run_id}-reward`, timestamp: atMs, ...score });
  const { user_id } = one.info.task;
  return {
    run: {
      event_id: `${run_id}-run`,
      run_id,
      span_id: `${run_id}-span`,
      name: "airline_agent",
      timestamp: startMs,
      latency_ms: atMs - startMs,
      user_id,
      session_id: `tau-bench-airline-${user_id}`,
      tags: ["tau-bench", "airline"],
      attributes: { task_id: one.task_id, trial: one.trial },
    },
    events,
  };
}

function lengthOf(said: Message): number {
  const calls = said.tool_calls?.map((call) => call.function.name + call.function.arguments) ?? [];
  return (said.content ?? "").length + calls.join("").length;
}

function promptCall(
  said: Message,
  prompt: readonly Message[],
  firstTokenMs: number,
): aisentry.AnyEvent {
  const isToolCall = (said.tool_calls ?? []).length > 0;
  return {
    event_type: "prompt_call",
    name: "chat",
    provider: "openai",
    model: "gpt-4o",
    prompt,
    response: said.content,
    tool_calls: isToolCall ? said.tool_calls : undefined,
    finish_reason: isToolCall ? "tool_calls" : "stop",
    time_to_first_token_ms: firstTokenMs,
  };
}

function toolCallOf(said: Message, all: readonly Message[]): aisentry.AnyEvent {
  const output = said.content ?? "";
  // Ids are not unique in the recordings: the nearest call before the answer is meant.
  const calls = all.slice(0, all.indexOf(said)).flatMap((other) => other.tool_calls ?? []);
  const call = calls.findLast(({ id }) => id === said.tool_call_id);
  const failed = output.startsWith(toolErrorPrefix);
  return {
    event_type: "tool_call",
    tool_name: said.name ?? call?.function.name ?? "unknown",
    tool_call_id: said.tool_call_id,
    input: call === undefined ? undefined : parse(call.function.arguments),
    output: parse(output),
    status: failed ? "error" : "success",
    error: failed
      ? { message: output.slice(toolErrorPrefix.length), type: "ToolError" }
      : undefined,
  };
}

/** Objects and lists as such; any other text as it is. */
function parse(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function countReplays(replays: readonly Replay[]): Counts {
  const events = replays.flatMap((replay) => replay.events);
  const count = (event_type: string) =>
    events.filter((event) => event.event_type === event_type).length;
  return {
    runs: replays.length,
    prompt_calls: count("prompt_call"),
    tool_calls: count("tool_call"),
    tool_errors: events.filter((event) => event.error !== undefined).length,
    scores: count("score"),
  };
}

const conversationMsMax = 30_000;

/** Returns what did not arrive, null when everything did. */
async function send(replays: readonly Replay[], dsn: string): Promise<string | null> {
  aisentry.init({ dsn, env: "replay" });
  if (aisentry.stats() === undefined) return "--dsn is not a DSN";
  for (const { run, events } of replays) {
    aisentry.run(run, () => events.forEach((event) => aisentry.logEvent(event)));
    // One conversation at a time: together they are more than the SDK lets wait.
    if (!await aisentry.flush(conversationMsMax)) return "the server does not answer";
  }
  const stats = aisentry.stats();
  await aisentry.close();
  console.log(`accepted ${stats?.accepted}, of which known before ${stats?.duplicates}`);
  const dropped = Object.entries(stats?.dropped ?? {});
  if (dropped.length === 0) return null;
  return dropped.map(([reason, count]) => `${count} events: ${reason}`).join(", ");
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${text} is not a whole number`);
  return number;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dsn: { type: "string" },
      limit: { type: "string" },
      seed: { type: "string" },
      until: { type: "string" },
    },
  });
  const [file] = positionals;
  if (file === undefined || values.dsn === undefined) {
    throw new Error(
      "Usage: replay_tau_bench.ts <file> --dsn <dsn> [--limit N] [--seed N] [--until T]",
    );
  }
  const read = z.array(conversation).safeParse(await Bun.file(file).json());
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    throw new Error(`${file} is no recording: ${path.join(".") || "the whole"}: ${message}`);
  }
  const all = read.data;
  const untilMs = values.until === undefined ? Date.now() : Date.parse(values.until);
  if (Number.isNaN(untilMs)) throw new Error(`--until ${values.until} is not a time`);
  const limit = wholeNumber(values.limit, all.length);
  const replays = planReplays(all.slice(0, limit), wholeNumber(values.seed, 1), untilMs);
  const missing = await send(replays, values.dsn);
  for (const [name, count] of Object.entries(countReplays(replays))) {
    console.log(`${name} ${count}`);
  }
  if (missing !== null) throw new Error(`Not everything arrived: ${missing}.`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
