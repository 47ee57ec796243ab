// What was sent comes back: through the log, the tail in memory and Parquet, in every form of event.
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type Field, fields } from "../../src/event.ts";
import type { LiveItem } from "../../src/live.ts";
import { oneEvent, pageOfEvents } from "../../src/query/events.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";

type Sent = Record<string, unknown>;

const folder = temporaryFolder();
let lake: OpenStore;
let projects = 0;

beforeAll(async () => lake = await openStore(folder.path));
afterAll(async () => {
  await lake.close();
  folder.remove();
});

/** Sends the events, and gives them back as they are listed from the tail, and from Parquet. */
async function stored(events: Sent[]): Promise<{ full: Sent[]; light: Sent[]; live: Sent[] }[]> {
  const project_id = `p${++projects}`;
  const live: Sent[] = [];
  const push = (item: LiveItem) => void live.push(JSON.parse(JSON.stringify(item.event)) as Sent);
  const end = lake.ingest.live.subscribe({ project_id, push, end: () => {} });
  const { rejected } = await lake.send(events, project_id);
  end();
  expect(rejected).toEqual([]);
  const list = async (view: "full" | "light") => {
    const filter = { project_id, values: {} };
    const asked = { filter, sort: "timestamp", order: "asc", limit: 1000, after: null } as const;
    return (await pageOfEvents(lake.store.reader, { ...asked, view })).events;
  };
  const both = async () => ({ full: await list("full"), light: await list("light"), live });
  const inTail = await both();
  await lake.store.flush();
  const inParquet = await both();
  for (const event of events.slice(0, 3)) {
    const one = await oneEvent(lake.store.reader, project_id, event.event_id as string);
    expect(one).toEqual(inParquet.full.find((listed) => listed.event_id === event.event_id)!);
  }
  return [inTail, inParquet];
}

/** Ids and times that make the order of events theirs. */
function numbered(events: Sent[]): Sent[] {
  return events.map((event, at) => ({
    ...event,
    event_id: `e${String(at).padStart(4, "0")}`,
    run_id: "r",
    timestamp: `2026-01-31T12:00:00.${String(at).padStart(6, "0")}Z`,
    event_type: "span",
    status: "success",
  }));
}

async function comesBack(events: Sent[]): Promise<void> {
  const sent = numbered(events);
  for (const { full, light, live } of await stored(sent)) {
    const found = full.map(({ received_at, project_id, ...event }) => {
      expect([typeof received_at, typeof project_id]).toEqual(["string", "string"]);
      return event;
    });
    expect(found).toEqual(JSON.parse(JSON.stringify(sent)) as Sent[]);
    expect(light).toEqual(live);
  }
}

function nested(levels: number): unknown {
  return levels === 0
    ? "core"
    : levels % 2 === 0
    ? [nested(levels - 1)]
    : { in: nested(levels - 1) };
}

const texts = [
  '{"looks": "like JSON"}',
  "[1, 2]",
  "null",
  "true",
  "12.50",
  '"quoted"',
  "",
  " ",
  "\\u0041 \\ \n\t\r",
  "nul\u0000inside",
  "\u2028 line",
  "ünï日本語 👩‍👩‍👧 e\u0301",
  "\u202eright to left",
  '{"commit":{"bytes":1,"events":1,"crc32":"00000000"}}',
];
const values: [name: string, value: unknown][] = [
  ...texts.map((text): [string, unknown] => [`the text ${JSON.stringify(text)}`, text]),
  ["a number", 1e21],
  ["a whole number beyond 2^53", 2 ** 60],
  ["a small number", 5e-324],
  ["a fraction", 0.1 + 0.2],
  ["true", true],
  ["false", false],
  ["an empty list", []],
  ["an empty object", {}],
  ["a list with null", [null, [null]]],
  ["an object with null", { a: null, b: { c: null } }],
  ["numbers in depth", { a: [1e21, -1e-7, 2 ** 60, 1.7976931348623157e308] }],
  ["odd keys", JSON.parse('{"": 1, "__proto__": {"x": 1}, "a.b": 2, "\\u0000": 3, "0": 4}')],
  ["60 levels", nested(60)],
];

test.each(values)("%s comes back as any value", async (_, value) => {
  const isObject = typeof value === "object" && !Array.isArray(value);
  await comesBack([{
    prompt: value,
    output: value,
    ...isObject ? { attributes: value, response_metadata: value } : {},
    ...Array.isArray(value) ? { tool_calls: value } : {},
    ...typeof value === "string" ? { name: value, stack_trace: value, tags: [value, value] } : {},
    attributes: { value },
  }]);
});

const text = fc.string({ unit: "binary", maxLength: 30 });
const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const object = fc.dictionary(text, json, { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** Any value that a field may have; null is the same as not sent. */
function valueOf(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "id":
      return fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
    case "label":
    case "text":
      return text;
    case "value":
      return fc.oneof(text, json.filter((value) => value !== null));
    case "object":
      return object;
    case "list":
      return fc.array(json, { maxLength: 3 });
    case "labels":
      return fc.array(text, { maxLength: 3 });
    case "integer":
      return fc.maxSafeNat();
    case "number": {
      const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = field;
      return fc.double({ min, max, noNaN: true }).map((number) => number === 0 ? 0 : number);
    }
    case "timestamp":
      return fc.constant("2026-01-31T12:00:00.000000Z");
    case "enum":
      return fc.constantFrom(...field.values!);
  }
}

const anyEvent = fc.record(
  Object.fromEntries(
    (fields as readonly Field[]).filter((field) => !field.derived && field.name !== "project_id")
      .map((field) => [field.name, valueOf(field)]),
  ),
  { requiredKeys: [] },
);

test("any event comes back, and is shown live as it is listed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { minLength: 20, maxLength: 40 }), comesBack),
    { seed: 6, numRuns: 5, endOnFailure: true },
  );
});
