// What a record says, in fields: values that fit, the places they came from, and the rules that
// mended token counts.
import { limits } from "../limits.ts";
import { tooDeep } from "../receive/event.ts";
import type { Kind, Mending } from "./convention.ts";
import { makerOf } from "./provider.ts";
import type { RawRecord } from "./record.ts";
import { type Field, type Followed, followed, type Hit, isSaid, kindOf } from "./resolve.ts";
import { fitted, type Target } from "./target.ts";

export interface Reading {
  kind: Kind;
  /** The convention that says so; null when it was inferred. */
  kindBy: string | null;
  followed: Followed;
  values: Map<Target, unknown>;
  hits: Map<Target, Hit>;
  rules: Mending[];
}

/** Fields that make a model call of a record that does not say what it is. */
const modelSigns: readonly Target[] = ["model", "model_requested"];
const contentSigns: readonly Target[] = [
  "tokens_input",
  "tokens_output",
  "response",
];
/** What a span of any kind may have as its input comes later. */
const messagesRankMax = 130;

export const counted: ReadonlySet<Kind> = new Set<Kind>([
  "model",
  "embedding",
  "rerank",
]);

export const usageTargets: readonly Target[] = [
  "tokens_input",
  "tokens_output",
  "tokens_cache_read",
  "tokens_cache_write",
  "tokens_cache_write_1h",
  "tokens_reasoning",
  "tokens_audio_input",
  "tokens_audio_output",
  "cost_reported_usd",
];

const always: readonly Target[] = [
  "agent_name",
  "session_id",
  "user_id",
  "env",
  "release",
  "service",
  "tags",
  "error_type",
  "error_message",
  "error_code",
  "error_stack",
  "level",
  "latency_ms",
  "prompt_template_id",
  "prompt_version",
];
const ofModels: readonly Target[] = [
  "model",
  "model_requested",
  "provider",
  ...usageTargets,
  "prompt",
  "response",
  "tool_calls",
  "system_prompt",
  "tool_definitions",
  "finish_reason",
  "response_id",
  "time_to_first_token_ms",
  "model_parameters",
  "service_tier",
];
const ofOthers: readonly Target[] = [
  "model",
  "model_requested",
  "provider",
  "input",
  "output",
];

/** The fields that records of a kind have. */
export const targetsOf: Readonly<Record<Kind, readonly Target[]>> = {
  model: [...ofModels, ...always],
  embedding: [...ofModels, ...always],
  rerank: [...ofModels, ...always],
  retrieval: ["tool_name", "input", "output", ...always],
  tool: ["tool_name", "tool_call_id", "tool_input", "tool_output", ...always],
  agent: [
    ...ofOthers,
    "workflow",
    "system_prompt",
    "tool_definitions",
    "prompt",
    "response",
    ...always,
  ],
  step: [
    ...ofOthers,
    "workflow",
    "step_number",
    "prompt",
    "response",
    "tool_name",
    ...always,
  ],
  score: [
    "score_name",
    "score_value",
    "score_label",
    "score_explanation",
    "response_id",
    ...always,
  ],
  error: ["model", "model_requested", "provider", "response_id", ...always],
  other: [
    ...ofOthers,
    "prompt",
    "response",
    "system_prompt",
    "tool_definitions",
    ...always,
  ],
};

export function readingOf(record: RawRecord): Reading {
  const follows = followed(record);
  const said = kindOf(record, follows.conventions);
  const kind = said?.kind ?? inferredKind(record, follows);
  const reading: Reading = {
    kind,
    kindBy: said?.convention.id ?? null,
    followed: follows,
    values: new Map(),
    hits: new Map(),
    rules: [],
  };
  for (const field of fieldsOf(follows, kind)) read(record, field, reading);
  dropRepeated(reading, "prompt", "input");
  dropRepeated(reading, "response", "output");
  if (counted.has(kind)) {
    mendCounts(reading);
    inferProvider(reading);
  } else if (
    usageTargets.some((target) => isSaid(record, follows, target))
  ) {
    reading.rules.push("aggregate_not_counted");
  }
  return reading;
}

function fieldsOf({ places, ofKind }: Followed, kind: Kind): readonly Field[] {
  const known = ofKind.get(kind);
  if (known !== undefined) return known;
  const fields = targetsOf[kind].flatMap((target): Field[] => {
    const readable = places.get(target);
    return readable === undefined ? [] : [[target, readable]];
  });
  ofKind.set(kind, fields);
  return fields;
}

/** The first place whose value can be stored; what cannot stays among the attributes. */
function read(record: RawRecord, [target, places]: Field, reading: Reading): void {
  for (const { convention, source } of places) {
    const found = source.read(record);
    if (found === undefined) continue;
    const value = fitted(target, found.value);
    if (value === undefined || tooDeep(value, depthMax)) continue;
    reading.values.set(target, value);
    reading.hits.set(target, { convention, source, found });
    if (found.rule !== undefined) reading.rules.push(found.rule);
    return;
  }
}

/** What stands in a conversation and as plain input is told once; a step has one of the two. */
function dropRepeated(
  { kind, values, hits }: Reading,
  target: Target,
  plain: Target,
): void {
  const [message, simple] = [hits.get(target), hits.get(plain)];
  if (message === undefined || simple === undefined) return;
  const isSame = message.found.keys[0] !== undefined &&
    message.found.keys[0] === simple.found.keys[0];
  if (!isSame && kind !== "agent" && kind !== "step") return;
  values.delete(target);
  hits.delete(target);
}

/** A field's value may nest so deep; the event that holds it a little deeper. */
const depthMax = limits.jsonDepthMax - 1;

function inferredKind(record: RawRecord, follows: Followed): Kind {
  const has = (target: Target) => isSaid(record, follows, target);
  if (!modelSigns.some(has)) return "other";
  const asks = () =>
    follows.places.get("prompt")?.some(({ source }) =>
      source.rank <= messagesRankMax && source.read(record) !== undefined
    ) ?? false;
  return contentSigns.some(has) || asks() ? "model" : "other";
}

/** Parts larger than the whole were counted beside it. */
function mendCounts({ values, rules }: Reading): void {
  const count = (target: Target) => values.get(target) as number | undefined;
  const input = count("tokens_input");
  const cached = (count("tokens_cache_read") ?? 0) +
    (count("tokens_cache_write") ?? 0);
  if (input !== undefined && cached > input && Number.isSafeInteger(input + cached)) {
    values.set("tokens_input", input + cached);
    rules.push("cache_added_to_input");
  }
  const output = count("tokens_output");
  const reasoning = count("tokens_reasoning") ?? 0;
  if (output !== undefined && reasoning > output && Number.isSafeInteger(output + reasoning)) {
    values.set("tokens_output", output + reasoning);
    rules.push("reasoning_added_to_output");
  }
}

function inferProvider({ values, rules }: Reading): void {
  if (values.has("provider")) return;
  const maker = makerOf(String(values.get("model") ?? values.get("model_requested") ?? ""));
  if (maker === undefined) return;
  values.set("provider", maker);
  rules.push("provider_inferred");
}
