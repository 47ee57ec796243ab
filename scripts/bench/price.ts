// How many events are priced a second, on one thread: known models of a usual mix, and names that
// nobody has seen before, which are looked up each time.
import type { Event } from "../../src/event.ts";
import { Prices } from "../../src/price/pricer.ts";
import { random } from "./events.ts";

export interface PriceFigures {
  known_per_s: number;
  unknown_per_s: number;
}

const calls: [string | undefined, string][] = [
  ["openai", "gpt-4o"],
  ["openai", "gpt-5-mini"],
  ["anthropic", "claude-sonnet-4-5-20250929"],
  ["aws.bedrock", "us.anthropic.claude-opus-4-6-v1"],
  ["gcp.gemini", "gemini-2.5-pro"],
  [undefined, "openrouter/anthropic/claude-sonnet-4.5"],
];

export function measurePricing(events: number): PriceFigures {
  const pricer = new Prices(() => null).of("bench");
  const next = random(7);
  const known = Array.from({ length: events }, (_, at) => {
    const [provider, model] = calls[at % calls.length]!;
    return call(next, model, provider);
  });
  const unknown = Array.from(
    { length: Math.ceil(events / 10) },
    (_, at) => call(next, `some-model-${at}`, undefined),
  );
  const perSecond = (events: Event[]) => {
    const started = performance.now();
    for (const event of events) pricer.price(event);
    return Math.round(events.length / ((performance.now() - started) / 1000));
  };
  perSecond(known.slice(0, Math.ceil(events / 10)).map((event) => ({ ...event })));
  return { known_per_s: perSecond(known), unknown_per_s: perSecond(unknown) };
}

function call(next: () => number, model: string, provider: string | undefined): Event {
  const tokens_input = Math.floor(next() * 20_000);
  return {
    event_id: "e",
    project_id: "bench",
    run_id: "r",
    event_type: "prompt_call",
    status: "success",
    timestamp: "2026-09-01T12:00:00.000000Z",
    received_at: "2026-09-01T12:00:00.000000Z",
    model,
    ...provider === undefined ? {} : { provider },
    tokens_input,
    tokens_output: Math.floor(next() * 2000),
    tokens_cache_read: Math.floor(tokens_input / 2),
  };
}

if (import.meta.main) console.log(measurePricing(500_000));
