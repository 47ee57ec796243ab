// Pages of events, and one event.
import { z } from "zod";
import countSql from "../../queries/events/count.sql" with { type: "text" };
import fullSql from "../../queries/events/full.sql" with { type: "text" };
import lightSql from "../../queries/events/light.sql" with { type: "text" };
import newestSql from "../../queries/events/newest.sql" with { type: "text" };
import oldestSql from "../../queries/events/oldest.sql" with { type: "text" };
import oneSql from "../../queries/events/one.sql" with { type: "text" };
import rankedSql from "../../queries/events/ranked.sql" with { type: "text" };
import { type Field, fields } from "../event.ts";
import { type Row, toEvent, toLightEvent } from "./event_json.ts";
import { type Filter, setFilter, setPage } from "./filter.ts";
import { answer, answerOne, type Ask, question, type Reader } from "./question.ts";

const rowTypes: Record<Field["kind"], z.ZodType> = {
  id: z.string(),
  label: z.string(),
  text: z.string(),
  value: z.string(),
  object: z.string(),
  list: z.string(),
  labels: z.array(z.string()),
  integer: z.int(),
  number: z.number(),
  timestamp: z.string(),
  enum: z.string(),
};

const columns = (chosen: (field: Field) => boolean) =>
  Object.fromEntries(
    (fields as readonly Field[]).filter(chosen)
      .map((field) => [field.name, rowTypes[field.kind].nullable()]),
  );

export const fullRow = z.object(columns(() => true));
export const lightRow = z.object(
  columns((field) => !field.payload && field.name !== "json_fields"),
);

const place = z.object({ event_id: z.string(), timestamp: z.string() });
const timeParams = z.object({
  after_timestamp: z.string().nullable(),
  after_event_id: z.string().nullable(),
  limit: z.int(),
});

export const newest = question(newestSql, timeParams, place);
export const oldest = question(oldestSql, timeParams, place);
export const ranked = question(
  rankedSql,
  z.object({
    sort: z.string(),
    direction: z.number(),
    // As text: a number that is whole, however large, would be bound as an integer.
    after_rank: z.string().nullable(),
    after_timestamp: z.string().nullable(),
    after_event_id: z.string().nullable(),
    limit: z.int(),
  }),
  place.extend({ rank: z.number().nullable() }),
);
export const count = question(countSql, z.object({}), z.object({ total: z.int() }));
export const full = question(fullSql, z.object({}), fullRow);
export const light = question(lightSql, z.object({}), lightRow);
export const one = question(oneSql, z.object({ event_id: z.string() }), fullRow);

export const sorts = ["timestamp", "latency_ms", "cost", "tokens"] as const;
export type Sort = (typeof sorts)[number];

/** Where the last page ended. */
export interface Place {
  event_id: string;
  timestamp: string;
  /** For sorts other than time; null where the value is unknown. */
  rank: number | null;
}

export interface EventsAsked {
  filter: Filter;
  sort: Sort;
  order: "asc" | "desc";
  limit: number;
  after: Place | null;
  view: "full" | "light";
}

export interface EventsPage {
  events: Row[];
  total: number;
  /** Place of the last event; null when no event follows it. */
  next: Place | null;
}

export async function pageOfEvents(reader: Reader, asked: EventsAsked): Promise<EventsPage> {
  return await reader.snapshot(asked.filter, async (ask) => {
    await setFilter(ask, asked.filter);
    const { total } = await answerOne(ask, count, {});
    const places = await placesOf(ask, asked);
    const shown = places.slice(0, asked.limit);
    const events = await eventsAt(ask, shown, asked.view);
    return { events, total, next: places.length > asked.limit ? shown.at(-1)! : null };
  });
}

/** One place more than the page shows, to know whether another follows. */
async function placesOf(ask: Ask, { sort, order, limit, after }: EventsAsked): Promise<Place[]> {
  const after_event_id = after?.event_id ?? null;
  if (sort !== "timestamp") {
    return await answer(ask, ranked, {
      sort,
      direction: order === "desc" ? 1 : -1,
      after_rank: after === null || after.rank === null ? null : String(after.rank),
      after_timestamp: after?.timestamp ?? null,
      after_event_id,
      limit: limit + 1,
    });
  }
  const rows = await answer(ask, order === "desc" ? newest : oldest, {
    after_timestamp: after?.timestamp ?? null,
    after_event_id,
    limit: limit + 1,
  });
  return rows.map((row) => ({ ...row, rank: null }));
}

/** Payloads are read for the page alone: with them in the sorted query it was 7 times slower. */
async function eventsAt(ask: Ask, places: Place[], view: "full" | "light"): Promise<Row[]> {
  if (places.length === 0) return [];
  const times = places.map((place) => place.timestamp).toSorted();
  await setPage(ask, {
    ids: places.map((place) => place.event_id),
    first: times[0]!,
    last: times.at(-1)!,
  });
  const rows = view === "full"
    ? (await answer(ask, full, {})).map((row) => toEvent(row as Row))
    : (await answer(ask, light, {})).map((row) => toLightEvent(row as Row));
  // An id that came again long after is an event of its own: only together with the time it is one.
  const byPlace = new Map(rows.map((row) => [`${row.timestamp} ${row.event_id}`, row]));
  return places.map((place) => byPlace.get(`${place.timestamp} ${place.event_id}`)!);
}

/** The event, or null when the project has none of that id. */
export async function oneEvent(
  reader: Reader,
  project_id: string,
  event_id: string,
): Promise<Row | null> {
  const rows = await reader.snapshot({ project_id }, (ask) => answer(ask, one, { event_id }));
  return rows[0] === undefined ? null : toEvent(rows[0] as Row);
}
