// The filter bar's language: `status:error model:gpt-4o,claude "words to find"`. Pure.
import type { EventType, Status } from "../../src/event.ts";

export const filterKeys = [
  "event_type",
  "status",
  "model",
  "provider",
  "name",
  "tool_name",
  "user_id",
  "session_id",
  "run_id",
  "tag",
  "release",
  "env",
  "service",
  "agent_name",
] as const;
export type FilterKey = (typeof filterKeys)[number];

const aliases: ReadonlyMap<string, FilterKey> = new Map([
  ["type", "event_type"],
  ["tool", "tool_name"],
  ["user", "user_id"],
  ["session", "session_id"],
  ["run", "run_id"],
  ["tags", "tag"],
  ["agent", "agent_name"],
]);

/** Fields of few values: another value is a slip of the pen, and the server refuses it. */
const statuses: Record<Status, true> = {
  success: true,
  error: true,
  timeout: true,
  assertion_failed: true,
  warning: true,
};
const eventTypes: Record<EventType, true> = {
  prompt_call: true,
  tool_call: true,
  agent_step: true,
  error: true,
  assertion_failed: true,
  hallucination_detected: true,
  performance_alert: true,
  cost_threshold_exceeded: true,
  span: true,
  score: true,
};
const closed: Partial<Record<FilterKey, readonly string[]>> = {
  status: Object.keys(statuses),
  event_type: Object.keys(eventTypes),
};

export interface Filter {
  /** Several values of one key: any of them. */
  values: Partial<Record<FilterKey, string[]>>;
  /** Words to find anywhere in the event. */
  text: string;
  /** What could not be understood, as a sentence; null when all was. */
  problem: string | null;
}

/**
 * A piece of the typed text: `key:value`, a word, or words in quotes. Within a value in quotes a
 * quotation mark stands twice.
 */
const piece = /([A-Za-z_]+):((?:"(?:""|[^"])*"?|[^\s,"]+|,)+)?|"([^"]*)"?|\S+/g;

export function parseFilter(typed: string): Filter {
  const values: Filter["values"] = {};
  const words: string[] = [];
  let problem: string | null = null;
  for (const match of typed.matchAll(piece)) {
    const [whole, name, value, quoted] = match;
    if (name === undefined || value?.startsWith("//")) {
      words.push(quoted ?? whole);
      continue;
    }
    const key = keyNamed(name);
    if (key === null) {
      problem ??= `“${name}” is not a field to filter by. To find the text, write it in quotes.`;
    } else if (value === undefined) {
      problem ??= `What should ${key} be? Write ${key}:value.`;
    } else {
      values[key] = [...new Set([...(values[key] ?? []), ...valuesIn(value)])];
    }
  }
  return { values, text: words.join(" ").trim(), problem };
}

/** Why the filter is not to be asked, as a sentence; null when it may be. */
export function problemOf({ problem, values }: Filter): string | null {
  if (problem !== null) return problem;
  for (const [key, known] of Object.entries(closed)) {
    const wrong = values[key as FilterKey]?.find((one) => !known.includes(one));
    if (wrong !== undefined) return `${key} is one of ${known.join(", ")}, not “${wrong}”.`;
  }
  return null;
}

export function keyNamed(name: string): FilterKey | null {
  const lower = name.toLowerCase();
  if ((filterKeys as readonly string[]).includes(lower)) return lower as FilterKey;
  return aliases.get(lower) ?? null;
}

function valuesIn(list: string): string[] {
  return [...list.matchAll(/"((?:""|[^"])*)"?|([^,"]+)/g)]
    .map((match) => match[1]?.replaceAll('""', '"') ?? match[2] ?? "")
    .filter((value) => value !== "");
}

export function writeFilter({ values, text }: Pick<Filter, "values" | "text">): string {
  const tokens = Object.entries(values).filter(([, list]) => list.length > 0)
    .map(([key, list]) => `${key}:${list.map(quoted).join(",")}`);
  const needsQuotes = /[A-Za-z_]+:/.test(text);
  if (text !== "") tokens.push(needsQuotes ? `"${text.replaceAll('"', "")}"` : text);
  return tokens.join(" ");
}

export function quoted(value: string): string {
  return /[\s,"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Adds the value, or takes it away when it is there. */
export function toggled(typed: string, key: FilterKey, value: string): string {
  const filter = parseFilter(typed);
  const list = filter.values[key] ?? [];
  filter.values[key] = list.includes(value)
    ? list.filter((other) => other !== value)
    : [...list, value];
  return writeFilter(filter);
}

/** As parameters of the API, one for each value. */
export function filterQuery({ values, text }: Filter): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [key, list] of Object.entries(values)) {
    // A single value is split at its commas; of several, each is taken as it is.
    if (list.length > 0) {
      query[key] = list.length === 1 && list[0]?.includes(",") ? [...list, ...list] : list;
    }
  }
  if (text !== "") query.q = text;
  return query;
}

/** Whether an event that has just come in belongs to the list; its text is not looked at. */
export function passes({ values }: Filter, event: object): boolean {
  const fields = event as Record<string, unknown>;
  return Object.entries(values).every(([key, list]) => {
    const value = key === "tag" ? fields.tags : fields[key];
    return Array.isArray(value)
      ? value.some((one) => list.includes(one))
      : typeof value === "string" && list.includes(value);
  });
}

/** What the stream of new events can leave out by itself: of one value without a comma. */
export function liveQuery({ values }: Filter): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [key, list] of Object.entries(values)) {
    const [value] = list;
    if (list.length === 1 && value !== undefined && !value.includes(",")) query[key] = value;
  }
  return query;
}

/** Where the server looks for text. */
const textColumns = [
  "prompt",
  "system_prompt",
  "response",
  "input",
  "output",
  "input_data",
  "output_data",
  "reasoning",
  "error_message",
  "name",
  "tool_name",
];

/** The same question as SQL, to go on from in the console. */
export function filterSql(filter: Filter, since: string | null, until: string | null): string {
  const conditions: string[] = [];
  if (since !== null) conditions.push(`timestamp >= ${instant(since)}`);
  if (until !== null) conditions.push(`timestamp < ${instant(until)}`);
  for (const [key, list] of Object.entries(filter.values)) {
    const literals = list.map(literal);
    if (key === "tag") {
      conditions.push(`list_has_any(tags, [${literals.join(", ")}])`);
    } else if (literals.length === 1) conditions.push(`${key} = ${literals[0]}`);
    else if (literals.length > 1) conditions.push(`${key} IN (${literals.join(", ")})`);
  }
  if (filter.text !== "") {
    const found = textColumns.map((name) =>
      `contains(lower(${name}), lower(${literal(filter.text)}))`
    );
    conditions.push(`(${found.join("\n    OR ")})`);
  }
  const where = conditions.length === 0 ? "" : `\nWHERE ${conditions.join("\n  AND ")}`;
  return `SELECT timestamp, event_type, name, model, status, latency_ms, tokens_input, tokens_output,
  coalesce(cost_estimate_usd, cost_reported_usd) AS cost_usd, user_id, run_id
FROM events${where}
ORDER BY timestamp DESC
LIMIT 100`;
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function instant(value: string): string {
  const relative = /^-(\d+)([smhdw])$/.exec(value);
  if (relative === null) return `TIMESTAMPTZ ${literal(value)}`;
  const units: Record<string, string> = {
    s: "SECOND",
    m: "MINUTE",
    h: "HOUR",
    d: "DAY",
    w: "WEEK",
  };
  return `now() - INTERVAL ${relative[1]} ${units[relative[2] ?? "s"]}`;
}
