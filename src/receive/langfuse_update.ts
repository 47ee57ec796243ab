// What comes for an event that is stored already, as events of their own: events do not change. Pure.
import { limits } from "../limits.ts";
import { type Fields, isFields, present } from "./langfuse_body.ts";

/** They say where an event stands, not what happened. */
const places = new Set([
  "event_id",
  "event_type",
  "run_id",
  "span_id",
  "parent_span_id",
  "timestamp",
]);

/** What an event says that the stored one of its id does not; null when there is nothing. */
export function newsOf(event: Fields, stored: Fields): Fields | null {
  const said = Object.fromEntries(Object.entries(event).filter(([name]) => !places.has(name)));
  const news = differing(said, stored);
  if (isFields(news.attributes) && isFields(stored.attributes)) {
    news.attributes = differing(news.attributes, stored.attributes);
  }
  return Object.keys(present(news)).length === 0 ? null : present(news);
}

function differing(said: Fields, known: Fields): Fields {
  return Object.fromEntries(
    Object.entries(said).filter(([name, value]) => !Bun.deepEquals(value, known[name])),
  );
}

/**
 * The events that tell the news. Counts stand where they are summed only when the stored event has
 * none: each is counted once.
 */
export function updateEvents(event: Fields, news: Fields, stored: Fields): Fields[] {
  const id = String(event.event_id);
  const about = present({
    run_id: event.run_id ?? stored.run_id,
    parent_span_id: event.span_id ?? id,
    user_id: event.user_id ?? stored.user_id,
    session_id: event.session_id ?? stored.session_id,
    timestamp: event.timestamp ?? stored.timestamp,
    status: news.status,
    error: news.error,
  });
  const events: Fields[] = [];
  const counts = Object.entries(news).filter(([name]) => isCount(name));
  const counted = Object.entries(stored).some(([name, value]) => isCount(name) && value !== null);
  if (event.event_type === "prompt_call" && !counted && counts.length > 0) {
    events.push(present({
      ...about,
      ...Object.fromEntries(counts),
      event_id: derivedId(id, "usage"),
      event_type: "prompt_call",
      name: event.name ?? stored.name,
      model: event.model ?? stored.model,
      provider: event.provider ?? stored.provider,
    }));
  }
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(news)).digest("hex");
  events.push(present({
    ...about,
    event_id: derivedId(id, `update-${hash.slice(0, 16)}`),
    event_type: "span",
    name: `${String(event.name ?? stored.name ?? id)} (update)`.slice(0, limits.labelCharactersMax),
    output: news.response ?? news.output ?? news.output_data,
    attributes: { langfuse: { update_of: id, fields: news } },
  }));
  return events;
}

function isCount(name: string): boolean {
  return name.startsWith("tokens_") || name === "cost_reported_usd";
}

function derivedId(id: string, ending: string): string {
  const room = limits.idCharactersMax - ending.length - 1;
  const short = id.length <= room
    ? id
    : new Bun.CryptoHasher("sha256").update(id).digest("hex").slice(0, room);
  return `${short}-${ending}`;
}
