// Query parameters that lists and charts share: read strictly, so that a typing error is never a
// filter that quietly does nothing.
import { type Hook, z } from "@hono/zod-openapi";
import { eventTypes, statuses } from "../event.ts";
import { type Filter, type FilterField, filterFields } from "../query/filter.ts";
import { parseTimestamp, timestampOf } from "../receive/timestamp.ts";
import { didYouMean } from "../std/nearest.ts";
import { Problem } from "./errors.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

/** Several values of these are separated by commas; of the others, by repeating the parameter. */
const split = new Set<FilterField>([
  "event_type",
  "status",
  "model",
  "provider",
  "tag",
  "release",
  "env",
]);
const known: Partial<Record<FilterField, readonly string[]>> = {
  event_type: eventTypes,
  status: statuses,
};
const valuesMax = 100;

const value = (name: FilterField) =>
  z.union([z.string(), z.array(z.string())]).optional().openapi({
    description: split.has(name)
      ? `Any of these, separated by commas.${known[name] ? ` Of ${known[name].join(", ")}.` : ""}`
      : "This value; repeat the parameter for any of several.",
    type: "string",
  });

/** The parameters of every list, chart and facet. */
export const filterQuery = {
  project_id: z.string().optional().openapi({
    description: "May be left out when the key knows one project.",
  }),
  since: z.string().optional().openapi({
    description: "From this time on: ISO 8601, `now`, or as long ago as `-15m`, `-24h`, `-7d`.",
  }),
  until: z.string().optional().openapi({ description: "Before this time." }),
  q: z.string().max(1000).optional().openapi({
    description: "Text that a prompt, response, input, output, error or name contains.",
  }),
  ...Object.fromEntries(filterFields.map((name) => [name, value(name)])) as Record<
    FilterField,
    ReturnType<typeof value>
  >,
};

export type FilterQuery = { [K in keyof typeof filterQuery]?: string | string[] };

/** The caller's filter. Throws a problem that names the parameter at fault. */
export function filterOf(principal: Principal, query: FilterQuery, nowMs: number): Filter {
  const project_id = allowed(principal, "read", query.project_id as string | undefined);
  const filter: Filter = { project_id, values: {} };
  const since = timeOf("since", query.since as string | undefined, nowMs);
  const until = timeOf("until", query.until as string | undefined, nowMs);
  if (since !== null) filter.since = since;
  if (until !== null) filter.until = until;
  if (query.q) filter.q = query.q as string;
  for (const name of filterFields) {
    const values = valuesOf(name, query[name]);
    if (values.length > 0) filter.values[name] = values;
  }
  return filter;
}

function valuesOf(name: FilterField, given: string | string[] | undefined): string[] {
  if (given === undefined) return [];
  const values = (Array.isArray(given) ? given : split.has(name) ? given.split(",") : [given])
    .filter((one) => one !== "");
  if (values.length > valuesMax) throw invalid(name, `at most ${valuesMax} values`);
  for (const one of values) {
    if (known[name] === undefined || known[name].includes(one)) continue;
    throw invalid(name, `one of ${known[name].join(", ")}, not "${one}"`);
  }
  return values;
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Absolute or relative to now, as ISO 8601 with microseconds; null when it is not given. */
export function timeOf(name: string, given: string | undefined, nowMs: number): string | null {
  if (given === undefined || given === "") return null;
  if (given === "now") return timestampOf(nowMs);
  const relative = /^-(\d{1,9})([smhdw])$/.exec(given);
  if (relative !== null) {
    const ms = nowMs - Number(relative[1]) * units[relative[2]!]! * 1000;
    return timestampOf(Math.max(0, ms));
  }
  // A + of a zone arrives as a space when it was not encoded.
  const time = parseTimestamp(given) ?? parseTimestamp(given.replace(/ (\d\d:?\d\d)$/, "+$1"));
  if (time !== null) return time.text;
  throw invalid(name, "a time such as 2026-01-31T12:00:00Z, -15m, -24h, -7d or now");
}

export function invalid(name: string, wanted: string): Problem {
  return new Problem(400, "Invalid parameter", `${name} must be ${wanted}.`, { parameter: name });
}

/** Refuses a query that the schemas do not allow, unknown parameters among it. */
export function strictly(...schemas: z.ZodObject[]): Hook<unknown, AppEnv, string, unknown> {
  const names = schemas.flatMap((schema) => Object.keys(schema.shape));
  return (result) => {
    if (result.success) return;
    const issue = result.error.issues[0]!;
    if (issue.code === "unrecognized_keys") {
      const [name] = (issue as unknown as { keys: string[] }).keys;
      throw new Problem(
        400,
        "Unknown parameter",
        `There is no parameter "${name}".${didYouMean(name!, names)}`,
        { parameter: name },
      );
    }
    const parameter = String(issue.path[0] ?? "query");
    throw new Problem(400, "Invalid parameter", `${parameter}: ${issue.message}.`, { parameter });
  };
}

/** A time as cursors carry it: only one that DuckDB can read. */
export const storedTime = z.string().refine((text) => parseTimestamp(text)?.text === text);

/** A place in a list as an opaque string. */
export function encodeCursor(place: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Reads back a cursor; `shape` refuses one that was made for another list or order. */
export function decodeCursor<T>(cursor: string | undefined, shape: z.ZodType<T>): T | null {
  if (cursor === undefined || cursor === "") return null;
  try {
    return shape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch {
    throw invalid("cursor", "the next_cursor of the page before, with the same sort and order");
  }
}
