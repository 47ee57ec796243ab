// Langfuse's ingestion API: traces, observations and scores, created and updated in pieces → events.
// https://api.reference.langfuse.com (POST /api/public/ingestion). Pure.
import { z } from "zod";
import { limits } from "../limits.ts";
import { Body, type Fields, isFields, present, timeOf } from "./langfuse_body.ts";
import { costOf, costOfUsage, tokensOf, tokensOfUsage } from "./langfuse_usage.ts";

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
  /** Fields of the event that it becomes. */
  event: Fields;
  times: Times;
}

/** What durations are made of. ISO 8601. */
interface Times {
  /** When its first piece was sent, for those that do not say when they began. */
  sent?: string;
  start?: string;
  end?: string;
  firstToken?: string;
}

/** What an envelope adds to; null when it is an event of its own. */
export function pieceOf({ id: envelopeId, type, timestamp, body }: Envelope): Piece | null {
  const [noun, verb] = type.split("-") as [string, string];
  if (noun === "score" || noun === "sdk") return null;
  const id = body.id ?? envelopeId;
  const what = noun === "trace" ? "trace" : "observation";
  const kind = (noun === "observation" ? String(body.type ?? "SPAN") : noun).toUpperCase();
  const fields = new Body(body);
  const times: Times = present({
    sent: timeOf(timestamp)?.text,
    start: fields.time(what === "trace" ? "timestamp" : "startTime"),
    end: fields.time("endTime"),
    firstToken: fields.time("completionStartTime"),
  });
  const event: Fields = {
    event_id: id,
    span_id: id,
    ...what === "trace" ? partOfTrace(fields, id) : partOfObservation(fields, kind),
  };
  event.attributes = fields.rest();
  return { what, id, created: verb === "create", type: kind, event: present(event), times };
}

const eventTypes: Readonly<Record<string, string>> = {
  TRACE: "agent_step",
  GENERATION: "prompt_call",
  EMBEDDING: "prompt_call",
  TOOL: "tool_call",
  RETRIEVER: "tool_call",
  AGENT: "agent_step",
  CHAIN: "agent_step",
  EVALUATOR: "agent_step",
  GUARDRAIL: "agent_step",
};

/** What goes in and comes out, by the type of event. */
const contents: Readonly<Record<string, readonly [input: string, output: string]>> = {
  prompt_call: ["prompt", "response"],
  agent_step: ["input_data", "output_data"],
  span: ["input", "output"],
};
const inputs = new Set(Object.values(contents).map(([input]) => input));
const outputs = new Set(Object.values(contents).map(([, output]) => output));

function contentsOf(type: string): readonly [input: string, output: string] {
  return contents[eventTypes[type] ?? "span"] ?? contents.span!;
}

function partOfTrace(body: Body, run_id: string): Fields {
  return { run_id, ...commonOf(body, "TRACE") };
}

function partOfObservation(body: Body, type: string): Fields {
  const event = {
    run_id: body.id("traceId"),
    parent_span_id: body.id("parentObservationId"),
    ...commonOf(body, type),
  };
  // Of anything else these stay among the attributes, as do the counts themselves.
  if (eventTypes[type] !== "prompt_call") return event;
  const { usage, usageDetails, costDetails } = body.fields;
  return {
    ...event,
    ...tokensOfUsage(usage),
    ...tokensOf(usageDetails),
    cost_reported_usd: costOf(costDetails) ?? costOfUsage(usage),
    model: body.label("model"),
    model_parameters: body.object("modelParameters"),
    prompt_template_id: body.label("promptName"),
    prompt_version: body.label("promptVersion"),
  };
}

const statuses: Readonly<Record<string, string>> = {
  DEFAULT: "success",
  ERROR: "error",
  WARNING: "warning",
};

function commonOf(body: Body, type: string): Fields {
  const [input, output] = contentsOf(type);
  return {
    name: body.label("name"),
    user_id: body.id("userId"),
    session_id: body.id("sessionId"),
    release: body.label("release"),
    tags: body.labels("tags"),
    env: body.label("environment"),
    status: body.oneOf("level", statuses),
    [input]: body.any("input"),
    [output]: body.any("output"),
  };
}

/** Later values win; absent ones change nothing; metadata grows. */
export function merged(before: Piece | undefined, piece: Piece): Piece {
  if (before === undefined) return piece;
  const type = piece.created ? piece.type : before.type;
  const older = named(before.event, type);
  // Counts of a later piece are the count, not further parts.
  if (piece.event.tokens_input !== undefined || piece.event.tokens_output !== undefined) {
    for (const name of Object.keys(older)) if (name.startsWith("tokens_")) delete older[name];
  }
  const attributes = mergedAttributes(before.event.attributes, piece.event.attributes);
  return {
    ...before,
    created: before.created || piece.created,
    type,
    event: present({ ...older, ...named(piece.event, type), attributes }),
    times: { ...before.times, ...piece.times, ...sentFirst(before.times, piece.times) },
  };
}

function sentFirst(before: Times, added: Times): Times {
  const sent = before.sent ?? added.sent;
  return sent === undefined ? {} : { sent };
}

/** With the names that its type has for what goes in and comes out: an update may not tell it. */
function named(event: Fields, type: string): Fields {
  const [input, output] = contentsOf(type);
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      inputs.has(name) ? input : outputs.has(name) ? output : name,
      value,
    ]),
  );
}

function mergedAttributes(before: unknown, added: unknown): Fields | undefined {
  if (!isFields(before)) return isFields(added) ? added : undefined;
  if (!isFields(added)) return before;
  const all = { ...before, ...added };
  if (isFields(before.metadata) && isFields(added.metadata)) {
    all.metadata = { ...before.metadata, ...added.metadata };
  }
  return all;
}

/** Nothing more is expected: it has ended, or never lasts. */
export function isComplete({ what, times, type }: Piece): boolean {
  return what === "observation" && (times.end !== undefined || type === "EVENT");
}

/** What an observation has of its trace. */
export function aboutTrace({ event }: Piece): Fields {
  const { user_id, session_id, release, tags, env } = event;
  return present({ user_id, session_id, release, tags, env });
}

/** The event as far as it is known; a trace is the step that its observations belong to. */
export function eventOf(piece: Piece, trace: Fields | undefined): Fields {
  const { type, times: { start, end, firstToken, sent } } = piece;
  const { attributes = {}, ...event } = piece.event as Fields & { attributes?: Fields };
  const event_type = eventTypes[type] ?? "span";
  const whole: Fields = {
    ...trace,
    ...event,
    event_type,
    timestamp: start ?? sent,
    latency_ms: between(start, end),
    attributes,
  };
  if (trace !== undefined && piece.what === "observation") whole.parent_span_id ??= event.run_id;
  if (event_type === "prompt_call") whole.time_to_first_token_ms = between(start, firstToken);
  if (event_type === "tool_call") whole.tool_name = event.name ?? "tool";
  if (event.status === "error" && typeof attributes.statusMessage === "string") {
    const { statusMessage, ...others } = attributes;
    whole.error = { message: statusMessage };
    whole.attributes = others;
  }
  return present(whole);
}

/** A score, or a record of the SDK's own log. */
export function singleEvent({ id, type, timestamp, body }: Envelope): Fields {
  const sent = timeOf(timestamp)?.text;
  if (type === "sdk-log") {
    const name = "langfuse sdk-log";
    return present({ event_id: id, event_type: "span", name, output: body.log, timestamp: sent });
  }
  const fields = new Body(body);
  return present({
    event_id: body.id ?? id,
    event_type: "score",
    run_id: fields.id("traceId"),
    session_id: fields.id("sessionId"),
    parent_span_id: fields.id("observationId"),
    name: fields.label("name"),
    score_value: fields.number("value"),
    score_label: fields.label("value"),
    score_explanation: fields.text("comment"),
    env: fields.label("environment"),
    timestamp: sent,
    attributes: fields.rest(),
  });
}

/** Milliseconds; absent when either is, or when it ended before it began. */
function between(start: string | undefined, end: string | undefined): number | undefined {
  const [from, to] = [timeOf(start), timeOf(end)];
  return from === null || to === null || to.ms < from.ms ? undefined : to.ms - from.ms;
}
