// GET /api/live over real connections: what arrives, what does not, and what a reader is told.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { keys, type Project, startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => server = await startTestServer());
afterAll(() => server.stop());

interface Message {
  event: string;
  id: string | null;
  data: Record<string, unknown>;
}

/** A reader of the stream; `next` gives the messages, `end` closes it. */
async function watch(query = "", project: Project = "shop", lastEventId?: string) {
  const ending = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined
    ? {}
    : { "last-event-id": lastEventId };
  const response = await server.ask(`/api/live?${query}`, project, {
    headers,
    signal: ending.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const stream = response.body!.pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  let text = "";
  const next = async (): Promise<Message> => {
    while (true) {
      const end = text.indexOf("\n\n");
      if (end === -1) {
        const { value, done } = await stream.read();
        if (done) throw new Error("The stream has ended.");
        text += value;
        continue;
      }
      const message = messageOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (message !== null) return message;
    }
  };
  return { next, end: () => ending.abort() };
}

function messageOf(block: string): Message | null {
  const lines = block.split("\n").filter((line) => !line.startsWith(":"));
  const field = (name: string) =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
  const [event, data] = [field("event"), field("data")];
  if (event === null || data === null) return null;
  return { event, id: field("id"), data: JSON.parse(data) };
}

let count = 0;
/** An event of a fresh id. */
function span(more: Record<string, unknown> = {}) {
  return { event_id: `live-${++count}`, event_type: "span", ...more };
}

test("an event arrives in its light form, as the list has it", async () => {
  const reader = await watch();
  const sent = span({
    model: "gpt-x",
    tags: ["a"],
    client: { sdk_version: "1" },
    prompt: [{ role: "user", content: "How late is it?" }],
    response: "Late.",
    error: { message: "no clock", code: 7 },
    attributes: { deep: { er: 1 } },
  });
  await server.send([sent]);
  const { event, id, data } = await reader.next();
  expect([event, typeof id]).toEqual(["event", "string"]);
  const list = await server.ask(`/api/events?view=light&run_id=${sent.event_id}`);
  const { events } = await list.json() as { events: unknown[] };
  expect(events).toEqual([data]);
  expect(data).toMatchObject({ input_preview: "How late is it?", output_preview: "Late." });
  expect(data).not.toHaveProperty("prompt");
  reader.end();
});

const filters: [
  query: string,
  matching: Record<string, unknown>,
  other: Record<string, unknown>,
][] = [
  ["model=a", { model: "a" }, { model: "b" }],
  ["model=a,b", { model: "b" }, { model: "c" }],
  ["name=a,b", { name: "a,b" }, { name: "a" }],
  ["model=undefined", { model: "undefined" }, {}],
  ["tag=x", { tags: ["y", "x"] }, { tags: ["y"] }],
  ["tag=x,z", { tags: ["z"] }, {}],
  ["status=error", { status: "error" }, { status: "success" }],
  ["run_id=r1&user_id=u1", { run_id: "r1", user_id: "u1" }, { run_id: "r1" }],
];
test.each(filters)("filter %s", async (query, matching, other) => {
  const reader = await watch(query);
  const [wrong, right] = [span(other), span(matching)];
  await server.send([wrong, right]);
  expect((await reader.next()).data.event_id).toBe(right.event_id);
  reader.end();
});

test("events of another project never arrive", async () => {
  const reader = await watch("", "bank");
  const [shops, banks] = [span(), span()];
  await server.send([shops], "shop");
  await server.send([banks], "bank");
  expect((await reader.next()).data.event_id).toBe(banks.event_id);
  reader.end();
  expect((await server.ask("/api/live?project_id=shop", "bank")).status).toBe(403);
});

test("Last-Event-ID resumes with what came since, of this project alone", async () => {
  const before = await watch();
  const [first, second, third] = [span(), span(), span()];
  await server.send([first]);
  const { id } = await before.next();
  before.end();
  await server.send([second]);
  await server.send([span()], "bank");
  const after = await watch("", "shop", id!);
  expect((await after.next()).data.event_id).toBe(second.event_id);
  await server.send([third]);
  expect((await after.next()).data.event_id).toBe(third.event_id);
  after.end();
});

test.each([
  ["another start of the server", () => "0123456789ab-1"],
  ["no number", (boot: string) => `${boot}-x`],
  ["a number to come", (boot: string) => `${boot}-999999`],
  ["nonsense", () => "nonsense"],
])("a resumption that cannot be whole is a gap: %s", async (_, lastEventId) => {
  const watching = await watch();
  await server.send([span()]);
  const { id } = await watching.next();
  watching.end();
  const reader = await watch("", "shop", lastEventId(id!.split("-")[0]!));
  expect(await reader.next()).toMatchObject({ event: "gap", data: { reason: expect.any(String) } });
  const sent = span();
  await server.send([sent]);
  expect((await reader.next()).data.event_id).toBe(sent.event_id);
  reader.end();
});

test("a reader that reads is not dropped for a large batch", async () => {
  const reader = await watch();
  const batch = Array.from({ length: 5000 }, () => span({ name: "x".repeat(500) }));
  await server.send(batch);
  for (const sent of batch) expect((await reader.next()).data.event_id).toBe(sent.event_id);
  reader.end();
});

test("what a large batch pushed out of memory is a gap, not a hole", async () => {
  const reader = await watch();
  await server.send([span()]);
  const { id } = await reader.next();
  reader.end();
  const batch = Array.from({ length: 5000 }, () => span());
  await server.send(batch);
  const [boot, number] = id!.split("-");
  const early = await watch("", "shop", id!);
  expect((await early.next()).event).toBe("gap");
  early.end();
  const late = await watch("", "shop", `${boot}-${Number(number) + 4000}`);
  for (const sent of batch.slice(4000)) {
    expect((await late.next()).data.event_id).toBe(sent.event_id);
  }
  late.end();
});

test("a reader that does not read is dropped and told, and holds nobody up", async () => {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.pause();
  socket.write(
    `GET /api/live HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${keys.shop}\r\n\r\n`,
  );
  const metrics = await waitFor(/^watchllm_live_readers 1$/m);
  expect(metrics).toContain("watchllm_live_readers 1");
  const name = "x".repeat(1000);
  // Sockets take some megabytes before the server notices; the bound is far above.
  for (let sent = 0; sent < 60 && await readers() > 0; sent++) {
    await server.send(Array.from({ length: 1000 }, () => span({ name })));
  }
  expect(await readers()).toBe(0);
  let text = "";
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("data", (chunk) => text = (text + chunk).slice(-10_000));
  socket.resume();
  await Promise.race([closed, waitUntil(() => text.includes("event: dropped"))]);
  expect(text).toMatch(/event: dropped\ndata: \{"missed":\d+\}\n\n/);
  socket.destroy();
}, 60_000);

async function readers(): Promise<number> {
  const text = await (await server.ask("/metrics")).text();
  return Number(/^watchllm_live_readers (\d+)$/m.exec(text)![1]);
}

async function waitFor(pattern: RegExp): Promise<string> {
  let text = "";
  await waitUntil(async () => pattern.test(text = await (await server.ask("/metrics")).text()));
  return text;
}

async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("It has not come true within 20 s.");
    await Bun.sleep(20);
  }
}
