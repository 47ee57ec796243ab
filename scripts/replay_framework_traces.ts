// Replays traces of production frameworks as OTLP exports, and compares what is stored with what
// another product made of them:
//   bun scripts/replay_framework_traces.ts <folder> --url http://127.0.0.1:4318 [--key K]
// The traces are those of https://github.com/langfuse/langfuse (exported observations, whose metadata
// keep the original attributes). That product took input and output out of the attributes: they are
// put back under the name that the record's own convention has for them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

type Fields = Record<string, unknown>;

export interface Observation {
  id: string;
  traceId: string;
  parentObservationId: string | null;
  type: string;
  name: string;
  startTime: string;
  endTime: string | null;
  level: string;
  statusMessage: string | null;
  input: unknown;
  output: unknown;
  model: string | null;
  inputUsage: number | null;
  outputUsage: number | null;
  metadata: unknown;
}

export interface Difference {
  name: string;
  field: string;
  ours: unknown;
  theirs: unknown;
}

/** A span of OTLP/JSON. */
export function otlpSpan(observation: Observation): Fields {
  const { attributes = {} } = metadataOf(observation) as { attributes?: Fields };
  const all = { ...attributes, ...contentOf(observation, attributes) };
  return {
    traceId: observation.traceId.padStart(32, "0"),
    spanId: observation.id.slice(0, 16).padStart(16, "0"),
    parentSpanId: observation.parentObservationId?.slice(0, 16) ?? "",
    name: observation.name,
    kind: 1,
    startTimeUnixNano: nanos(observation.startTime),
    endTimeUnixNano: nanos(observation.endTime ?? observation.startTime),
    attributes: Object.entries(all).map(([key, value]) => ({ key, value: anyValue(value) })),
    status: observation.level === "ERROR"
      ? { code: 2, message: observation.statusMessage ?? "" }
      : {},
  };
}

/** What the stored event says otherwise; of generations only, others have nothing to count. */
export function differences(observation: Observation, event: Fields): Difference[] {
  if (observation.type !== "GENERATION") return [];
  const { name } = observation;
  const found: Difference[] = [];
  const compare = (field: string, ours: unknown, theirs: unknown) => {
    if ((ours ?? null) !== (theirs ?? null)) {
      found.push({ name, field, ours: ours ?? null, theirs: theirs ?? null });
    }
  };
  compare("model", event.model, observation.model);
  compare("tokens_input", event.tokens_input, observation.inputUsage || null);
  compare("tokens_output", event.tokens_output, observation.outputUsage || null);
  const has = (value: unknown) => value !== undefined && value !== null && value !== "";
  const isCall = event.event_type === "prompt_call";
  compare(
    "input",
    has(isCall ? event.prompt : event.input_data ?? event.input),
    has(observation.input),
  );
  compare(
    "output",
    has(isCall ? event.response ?? event.tool_calls : event.output_data ?? event.output),
    has(observation.output),
  );
  return found;
}

function metadataOf({ metadata }: Observation): Fields {
  const value: unknown = typeof metadata === "string" ? JSON.parse(metadata) : metadata;
  return typeof value === "object" && value !== null ? value as Fields : {};
}

/** Attribute names of input and output, by what tells the convention. */
const contentNames: readonly (readonly [sign: string, input: string, output: string])[] = [
  ["openinference.span.kind", "input.value", "output.value"],
  ["ai.operationId", "ai.prompt.messages", "ai.response.text"],
  ["gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages"],
];

function contentOf(observation: Observation, attributes: Fields): Fields {
  const { input, output } = observation;
  const [, inputName, outputName] = contentNames.find(([sign]) => sign in attributes) ??
    ["", "langfuse.observation.input", "langfuse.observation.output"];
  const content: Fields = Object.keys(attributes).length === 0 ? ofLangfuse(observation) : {};
  const text = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);
  if (input !== null && !(inputName in attributes)) content[inputName] = text(input);
  if (output !== null && !(outputName in attributes)) content[outputName] = text(output);
  return content;
}

/** That product's own SDK sent these; it kept none of their attributes. */
function ofLangfuse({ type, model, inputUsage, outputUsage }: Observation): Fields {
  const fields: Fields = { "langfuse.observation.type": type.toLowerCase() };
  if (model !== null) fields["langfuse.observation.model.name"] = model;
  if (inputUsage || outputUsage) {
    const usage = { input: inputUsage ?? 0, output: outputUsage ?? 0 };
    fields["langfuse.observation.usage_details"] = JSON.stringify(usage);
  }
  return fields;
}

function anyValue(value: unknown): Fields {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "number":
      return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      return Array.isArray(value)
        ? { arrayValue: { values: value.map(anyValue) } }
        : { stringValue: JSON.stringify(value) };
  }
}

function nanos(iso: string): string {
  return String(BigInt(Date.parse(iso)) * 1_000_000n);
}

async function replay(file: string, url: string, headers: Record<string, string>): Promise<void> {
  const { observations } = JSON.parse(readFileSync(file, "utf8")) as {
    observations: Observation[];
  };
  const spans = observations.map(otlpSpan);
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  console.log(`${file.split("/").at(-1)}: ${response.status} ${await response.text()}`);
  for (const [at, observation] of observations.entries()) {
    const { traceId, spanId } = spans[at]!;
    const event = await (await fetch(`${url}/api/events/${traceId}-${spanId}`, { headers })).json();
    const told = differences(observation, event as Fields)
      .map(({ field, ours, theirs }) =>
        `${field} ${JSON.stringify(ours)}, there ${JSON.stringify(theirs)}`
      );
    console.log(
      `  ${(event as Fields).event_type} ${observation.name}${
        told.length > 0 ? `: ${told.join("; ")}` : ""
      }`,
    );
  }
}

if (import.meta.main) {
  const { values, positionals: [folder] } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: "string", default: "http://127.0.0.1:4318" },
      key: { type: "string" },
    },
  });
  if (folder === undefined) throw new Error("Name the folder of the traces.");
  const headers: Record<string, string> = values.key === undefined
    ? {}
    : { authorization: `Bearer ${values.key}` };
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
    await replay(join(folder, name), values.url, headers);
  }
}
