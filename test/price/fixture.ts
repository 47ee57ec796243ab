// A model call to price.
import type { Event } from "../../src/event.ts";
import { Prices } from "../../src/price/pricer.ts";

export const plain = new Prices(() => null).of("shop");

export function call(fields: Partial<Event>): Event {
  return {
    event_id: "e",
    project_id: "shop",
    run_id: "r",
    event_type: "prompt_call",
    status: "success",
    timestamp: "2026-09-01T12:00:00.000000Z",
    received_at: "2026-09-01T12:00:01.000000Z",
    ...fields,
  };
}
