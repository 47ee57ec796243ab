// Instructions and tools that every call repeats take room once, as columns and within messages too.
import { afterEach, expect, test } from "bun:test";
import { Random } from "../../src/std/random.ts";
import { openStore, temporaryFolder } from "./fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const events = 1000;
const systemCharacters = 10_000;
const toolsCharacters = 15_000;

const source = new Random(1);
const random = () => source.next();
/** Words as rare and as common as those of a language, so that it compresses like one. */
const words = Array.from({ length: 3000 }, () => random().toString(36).slice(2, 4 + random() * 8));
function text(characters: number): string {
  let made = "";
  while (made.length < characters) made += `${words[Math.floor(random() ** 2 * words.length)]} `;
  return made.slice(0, characters);
}
const instructions = text(systemCharacters);
const tools = [{ name: "search", description: text(toolsCharacters) }];
const own = Array.from({ length: events }, (_, at) => ({
  event_id: `e${at}`,
  event_type: "prompt_call",
  timestamp: new Date(Date.UTC(2026, 0, 31) + at * 1000).toISOString(),
  model: "gpt-4o",
  question: text(300),
  response: text(400),
}));

/** Bytes of the lake that the events take. */
async function bytesOf(more: (question: string) => Record<string, unknown>): Promise<number> {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  const { store, send, close } = await openStore(path);
  cleanups.push(close);
  for (let at = 0; at < events; at += 200) {
    await send(
      own.slice(at, at + 200).map(({ question, ...event }) => ({
        ...event,
        ...more(question),
      })),
    );
  }
  await store.flush();
  return store.status().lake_bytes;
}

const user = (content: string) => ({ role: "user", content });

test(
  "repetition: a thousand times 25 KB of instructions and tools cost a few percent",
  async () => {
    const without = await bytesOf((question) => ({ prompt: [user(question)] }));
    const columns = await bytesOf((question) => ({
      prompt: [user(question)],
      system_prompt: instructions,
      tool_definitions: tools,
    }));
    const within = await bytesOf((question) => ({
      prompt: [{ role: "system", content: instructions }, user(question)],
    }));
    // Once in full, compressed, and a few bytes for each event.
    expect(columns / without).toBeLessThan(1.08);
    expect(within / without).toBeLessThan(1.2);
  },
  60_000,
);
