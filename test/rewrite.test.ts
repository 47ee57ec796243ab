// Events as an older mapping left them, mapped again: they become what they would be today.
import { afterEach, expect, test } from "bun:test";
import type { Event } from "../src/event.ts";
import { mapSpan } from "../src/map/map.ts";
import { Prices } from "../src/price/pricer.ts";
import { toEvent } from "../src/query/event_json.ts";
import { lineOf, noSteps } from "../src/receive/batch.ts";
import { addCopies } from "../src/receive/event.ts";
import type { Span } from "../src/receive/otlp/telemetry.ts";
import { noCounts, rewriteHistory, type RewriteOrder } from "../src/rewrite.ts";
import { openStore, temporaryFolder } from "./store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const start = BigInt(Date.UTC(2026, 0, 31, 12)) * 1_000_000n;

function span(number: number): Span {
  return {
    resource: { attributes: { "service.name": "agent" }, schema_url: "" },
    scope: { name: "s", version: "1", attributes: {}, schema_url: "" },
    trace_id: String(number).padStart(32, "a"),
    span_id: String(number).padStart(16, "b"),
    parent_span_id: null,
    trace_state: "",
    flags: 0,
    name: "chat gpt-4o",
    kind: 3,
    start: start + BigInt(number) * 1_000_000_000n,
    end: start + BigInt(number) * 1_000_000_000n + 5_000_000n,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": 1000 + number,
      "gen_ai.usage.output_tokens": 10,
      "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
      "user.id": "ann",
    },
    events: [],
    links: [],
    status: { code: 0, message: "" },
    dropped: { attributes: 0, events: 0, links: 0 },
  };
}

const prices = new Prices(() => null);
/** As if the mapping had not known these. */
const unknown = ["model", "model_requested", "prompt", "tokens_input", "user_id", "input_preview"];

test("remap: events that an older mapping made become those of today, priced; others stay", async () => {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  const { store, ingest, close } = await openStore(path);
  cleanups.push(close);
  ingest.options.steps = () => ({
    ...noSteps,
    price: (event) => prices.of("shop").price(event),
  });
  await ingest.take("shop", Array.from({ length: 6 }, (_, at) => mapSpan(span(at))), 1);
  await ingest.take(
    "shop",
    [{ event_id: "own", event_type: "span", attributes: { model: "m" } }],
    1,
  );
  const rows = () =>
    store.reader.snapshot(
      { project_id: "shop" },
      (ask) => ask("SELECT * FROM events ORDER BY event_id", {}),
    );
  const today = await rows();
  expect(today.filter(({ cost_estimate_usd }) => cost_estimate_usd !== null).length).toBe(6);
  // Three as an older version stored them: without those fields, and so without a price.
  await store.rewrite({
    project_id: "shop",
    reason: "remap",
    change: (row) => {
      const event = toEvent(row);
      if (!/[024]$/.test(String(event.span_id))) return null;
      for (const name of [...unknown, "cost_estimate_usd", "cost_details"]) delete event[name];
      addCopies(event as Event);
      return lineOf(event);
    },
  });
  const older = await rows();
  expect(older.filter(({ model }) => model !== null).length).toBe(3);
  const order: RewriteOrder = {
    kind: "remap",
    project_ids: ["shop"],
    since: null,
    until: null,
    dry_run: true,
  };
  const look = { order, counts: noCounts() };
  await rewriteHistory(store, prices, look, new AbortController().signal);
  expect(look.counts).toMatchObject({ looked_at: 7, changed: 3, refused: 0, files_written: 0 });
  expect(Object.entries(look.counts.fields).sort()).toEqual(
    [...unknown, "cost_estimate_usd", "cost_details"].filter((name) =>
      today.some((row) => row[name] !== null) && name !== "input_preview"
    ).sort().map((name) => [name, 3]),
  );
  expect(await rows()).toEqual(older);
  const run = { order: { ...order, dry_run: false }, counts: noCounts() };
  await rewriteHistory(store, prices, run, new AbortController().signal);
  expect(await rows()).toEqual(today);
});
