// Langfuse's ingestion API: traces, observations and scores, created and updated in pieces → events.
// https://api.reference.langfuse.com (POST /api/public/ingestion). Pure.
import { z } from "zod";
import { limits } from "../limits.ts";
import { parseTimestamp } from "./timestamp.ts";

type Fields = Record<string, unknown>;

/** One piece of a batch. */
export const envelopeSchema = z.looseObject({
  id: z.string().min(1).max(limits.idCharactersMax),
  type: z.enum([
    "trace-create",
    "score-create",
    "span-create",
    "span-update",
    "generation-create",
    "generation-update",
    "agent-create",
    "tool-create",
    "chain-create",
    "retriever-create",
    "evaluator-create",
    "embedding-create",
    "guardrail-create",
    "event-create",
    "observation-create",
    "observation-update",
    "sdk-log",
  ]),
  timestamp: z.string().nullish(),
  body: z.looseObject({ id: z.string().min(1).max(limits.idCharactersMax).nullish() }),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** A trace or an observation as far as it is known. */
export interface Piece {
  what: "trace" | "observation";
  id: string;
  /** Whether its creation is among what came, or only updates. */
  created: boolean;
  /** `GENERATION`, `SPAN` and so on; of an observation. */
  type: string;
  body: Fields;
}

/** What an envelope adds to; null when it is an event of its own. */
export function pieceOf({ id, type, body }: Envelope): Piece | null {
  const [noun, verb] = type.split("-") as [string, string];
  if (noun === "score" || noun === "sdk" || noun === "event") return null;
  const what = noun === "trace" ? "trace" : "observation";
  const named = noun === "observation" ? String(body.type ?? "SPAN") : noun;
  return { what, id: body.id ?? id, created: verb === "create", type: named.toUpperCase(), body };
}

/** Later values win; null and absent ones change nothing; metadata grows. */
export function merged(before: Piece | undefined, piece: Piece): Piece {
  if (before === undefined) return { ...piece, body: present(piece.body) };
  const added = present(piece.body);
  const body = { ...before.body, ...added };
  if (isFields(before.body.metadata) && isFields(added.metadata)) {
    body.metadata = { ...before.body.metadata, ...added.metadata };
  }
  return {
    ...before,
    created: before.created || piece.created,
    type: piece.created ? piece.type : before.type,
    body,
  };
}

/** Nothing more is expected: it has ended, or never lasts. */
export function isComplete({ what, body, type }: Piece): boolean {
  return what === "observation" && (typeof body.endTime === "string" || type === "EVENT");
}

const eventTypes: Readonly<Record<string, string>> = {
  GENERATION: "prompt_call",
  EMBEDDING: "prompt_call",
  TOOL: "tool_call",
  RETRIEVER: "tool_call",
  AGENT: "agent_step",
  CHAIN: "agent_step",
  EVALUATOR: "agent_step",
  GUARDRAIL: "agent_step",
};

/** Fields of a body that find a place of their own; the rest is kept in `attributes`. */
const placed = new Set([
  "id",
  "traceId",
  "type",
  "name",
  "startTime",
  "endTime",
  "timestamp",
  "completionStartTime",
  "model",
  "modelParameters",
  "input",
  "output",
  "usage",
  "usageDetails",
  "costDetails",
  "level",
  "statusMessage",
  "parentObservationId",
  "environment",
  "promptName",
  "promptVersion",
  "userId",
  "sessionId",
  "release",
  "tags",
]);

/** An observation, with what its trace says of user, session and release. */
export function observationEvent(piece: Piece, trace: Piece | undefined): Fields {
  const { body } = piece;
  const event_type = eventTypes[piece.type] ?? "span";
  const run_id = idOf(body.traceId) ?? piece.id;
  const start = timeOf(body.startTime);
  const event: Fields = {
    ...common(body, trace),
    event_id: piece.id,
    event_type,
    run_id,
    span_id: piece.id,
    parent_span_id: idOf(body.parentObservationId) ?? (trace === undefined ? undefined : run_id),
    timestamp: start?.text,
    latency_ms: between(start, timeOf(body.endTime)),
  };
  const isStep = event_type === "agent_step";
  if (event_type === "prompt_call") {
    Object.assign(event, usageOf(body), {
      prompt: body.input,
      response: body.output,
      model: labelOf(body.model),
      model_parameters: isFields(body.modelParameters) ? body.modelParameters : undefined,
      time_to_first_token_ms: between(start, timeOf(body.completionStartTime)),
      prompt_template_id: labelOf(body.promptName),
      prompt_version: labelOf(body.promptVersion),
    });
  } else {
    event[isStep ? "input_data" : "input"] = body.input;
    event[isStep ? "output_data" : "output"] = body.output;
  }
  if (event_type === "tool_call") event.tool_name = labelOf(body.name) ?? "tool";
  return present(event);
}

/** A trace stands as the step that its observations belong to. */
export function traceEvent(piece: Piece): Fields {
  const { body } = piece;
  return present({
    ...common(body, piece),
    event_id: piece.id,
    event_type: "agent_step",
    run_id: piece.id,
    span_id: piece.id,
    timestamp: timeOf(body.timestamp)?.text,
    input_data: body.input,
    output_data: body.output,
  });
}

/** What came for an observation or trace that was stored before: events do not change. */
export function updateEvent(piece: Piece): Fields {
  const run_id = piece.what === "trace" ? piece.id : idOf(piece.body.traceId);
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(piece.body)).digest("hex");
  return present({
    event_id: `${piece.id.slice(0, 80)}-update-${hash.slice(0, 16)}`,
    event_type: "span",
    run_id,
    parent_span_id: piece.id,
    name: `${piece.what} update`,
    output: piece.body.output,
    timestamp: timeOf(piece.body.endTime ?? piece.body.timestamp)?.text,
    attributes: { langfuse: { type: piece.type, body: piece.body } },
  });
}

/** Scores, events without a duration, and the SDK's own logs. */
export function singleEvent(
  { id, type, timestamp, body }: Envelope,
  trace: Piece | undefined,
): Fields {
  if (type === "event-create") {
    return observationEvent({
      what: "observation",
      id: body.id ?? id,
      created: true,
      type: "EVENT",
      body: present({ startTime: timestamp, ...present(body) }),
    }, trace);
  }
  if (type === "sdk-log") {
    return present({
      event_id: id,
      event_type: "span",
      name: "langfuse sdk-log",
      output: body.log,
      timestamp: timeOf(timestamp)?.text,
    });
  }
  const { value } = body;
  return present({
    event_id: body.id ?? id,
    event_type: "score",
    run_id: idOf(body.traceId),
    session_id: idOf(body.sessionId),
    // A trace of OpenTelemetry is no span of its own.
    parent_span_id: idOf(body.observationId) ?? (trace === undefined ? undefined : trace.id),
    name: labelOf(body.name),
    score_value: typeof value === "number" ? value : undefined,
    score_label: typeof value === "string" ? labelOf(value) : undefined,
    score_explanation: typeof body.comment === "string" ? body.comment : undefined,
    env: labelOf(body.environment),
    timestamp: timeOf(timestamp)?.text,
    attributes: rest(body, ["value", "comment", "observationId"]),
  });
}

function common(body: Fields, trace: Piece | undefined): Fields {
  const about = trace?.body ?? {};
  const { level } = body;
  const message = typeof body.statusMessage === "string" ? body.statusMessage : undefined;
  const failed = level === "ERROR";
  return {
    name: labelOf(body.name),
    user_id: idOf(body.userId ?? about.userId),
    session_id: idOf(body.sessionId ?? about.sessionId),
    release: labelOf(body.release ?? about.release),
    tags: tagsOf(body.tags ?? about.tags),
    env: labelOf(body.environment ?? about.environment),
    status: failed ? "error" : level === "WARNING" ? "warning" : undefined,
    error: failed ? { message: message ?? "error" } : undefined,
    attributes: {
      ...rest(body, []),
      ...(failed || message === undefined ? {} : { statusMessage: message }),
    },
  };
}

function rest(body: Fields, also: readonly string[]): Fields | undefined {
  const kept = Object.entries(body).filter(([name, value]) =>
    !placed.has(name) && !also.includes(name) && value !== null && value !== undefined
  );
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** `usageDetails` has buckets that do not overlap; `usage` is of several generations. */
function usageOf(body: Fields): Fields {
  const details = isFields(body.usageDetails) ? body.usageDetails : null;
  const usage = isFields(body.usage) ? body.usage : {};
  const cost = isFields(body.costDetails) ? body.costDetails : {};
  const sum = (pattern: RegExp) => {
    const counts = Object.entries(details ?? {})
      .filter(([name]) => pattern.test(name)).map(([, count]) => countOf(count))
      .filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
  };
  const first = (...names: string[]) =>
    names.map((name) => countOf(details?.[name])).find((count) => count !== undefined);
  const costs = Object.entries(cost).filter(([name]) => name !== "total")
    .map(([, usd]) => usd).filter((usd) => typeof usd === "number");
  const total = cost.total ?? usage.totalCost ??
    (costs.length === 0 ? undefined : costs.reduce((one, other) => one + other, 0));
  return {
    tokens_input: sum(/^(input|prompt_tokens$|input_.*|cache_.*input_tokens)$/) ??
      countOf(usage.input ?? usage.promptTokens ?? usage.prompt_tokens ?? usage.inputTokens),
    tokens_output: sum(/^(output|completion_tokens|output_.*)$/) ??
      countOf(
        usage.output ?? usage.completionTokens ?? usage.completion_tokens ?? usage.outputTokens,
      ),
    tokens_cache_read: first("input_cached_tokens", "cache_read_input_tokens", "input_cache_read"),
    tokens_cache_write: first("cache_creation_input_tokens", "input_cache_creation"),
    tokens_reasoning: first("output_reasoning_tokens", "output_reasoning"),
    cost_reported_usd: typeof total === "number" && total >= 0 ? total : undefined,
  };
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function idOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= limits.idCharactersMax
    ? value
    : undefined;
}

function labelOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== ""
    ? value.slice(0, limits.labelCharactersMax)
    : undefined;
}

function tagsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.filter((tag) => typeof tag === "string").slice(0, limits.labelsMax)
    .map((tag) => tag.slice(0, limits.labelCharactersMax));
}

function timeOf(value: unknown) {
  return typeof value === "string" ? parseTimestamp(value) : null;
}

function between(start: { ms: number } | null, end: { ms: number } | null): number | undefined {
  return start === null || end === null || end.ms < start.ms ? undefined : end.ms - start.ms;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function present(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      value !== null && value !== undefined &&
      !(isFields(value) && Object.keys(value).length === 0)
    ),
  );
}
