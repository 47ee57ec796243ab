// What all signals have in common in JSON: the envelope, attribute values, resources and scopes.
import { parseJson } from "../../sdk.ts";
import { emptyAttributes, emptyResource, emptyScope } from "../empty.ts";
import {
  attributesMax,
  deeper,
  type Export,
  ExportError,
  ItemRefusal,
  type Signal,
  takeItem,
  tooManyAttributes,
  wrongSignal,
} from "../export.ts";
import { numberValue } from "../number.ts";
import type { Attributes, Resource, Scope, Value } from "../telemetry.ts";
import {
  booleanOf,
  camelCase,
  doubleOf,
  integerOf,
  listOf,
  type Message,
  messageOf,
  mistyped,
  refuseSnakeCase,
  snakeCase,
  textOf,
} from "./fields.ts";
import { checkBounds } from "./scan.ts";

const decoder = new TextDecoder();

/** Names of the envelope's levels, for each signal. */
const envelopes = {
  traces: { resources: "resourceSpans", scopes: "scopeSpans", items: "spans" },
  logs: { resources: "resourceLogs", scopes: "scopeLogs", items: "logRecords" },
  metrics: { resources: "resourceMetrics", scopes: "scopeMetrics", items: "metrics" },
} as const;

type ReadItem = (item: unknown, resource: Resource, scope: Scope) => void;

/** Calls `read` for each item of the request. Throws ExportError. */
export function readRequest(body: Uint8Array, signal: Signal, read: ReadItem): void {
  const { resources, scopes, items } = envelopes[signal];
  const document = documentOf(body);
  if (document[resources] === undefined) refuseOther(document, signal);
  for (const ofResource of envelopeList(document[resources], resources)) {
    const resource = resourceOf(ofResource);
    refuseRenamed(ofResource, scopes);
    for (const ofScope of envelopeList(ofResource[scopes], scopes)) {
      const scope = scopeOf(ofScope);
      refuseRenamed(ofScope, items);
      for (const item of contractList(ofScope[items], items)) read(item, resource, scope);
    }
  }
}

function documentOf(body: Uint8Array): Message {
  checkBounds(body);
  let document: unknown;
  try {
    document = parseJson(decoder.decode(body));
  } catch (error) {
    throw new ExportError("invalid_json", `The body is not JSON: ${(error as Error).message}.`);
  }
  if (typeof document === "object" && document !== null && !Array.isArray(document)) {
    return document as Message;
  }
  throw new ExportError("invalid_export", "An OTLP export is one JSON object.");
}

/** Unknown fields are ignored, but not when there is nothing else. */
function refuseOther(document: Message, signal: Signal): void {
  const { resources } = envelopes[signal];
  const keys = Object.keys(document);
  if (keys.length === 0) return;
  for (const [other, envelope] of Object.entries(envelopes)) {
    if (document[envelope.resources] !== undefined) {
      const { reason, message } = wrongSignal(other as Signal, signal);
      throw new ExportError(reason, message);
    }
  }
  refuseRenamed(document, resources);
  throw new ExportError(
    "invalid_export",
    `The object has no "${resources}"; it has "${keys.slice(0, 5).join('", "')}".`,
  );
}

/** Refuses an envelope that has another spelling of the key that it lacks. */
function refuseRenamed(message: Message, key: string): void {
  if (message[key] !== undefined) return;
  for (const other in message) {
    if (camelCase(other) === key) throw contract(snakeCase(other, key));
    if (other.startsWith("instrumentationLibrary")) {
      throw contract(`the key "${other}" was withdrawn from OTLP; "${key}" took its place.`);
    }
  }
}

function envelopeList(value: unknown, name: string): Message[] {
  const list = contractList(value, name);
  for (const one of list) {
    if (typeof one !== "object" || one === null || Array.isArray(one)) {
      throw contract(`"${name}" is an array of objects.`);
    }
  }
  return list as Message[];
}

function contractList(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null || Array.isArray(value)) return value ?? [];
  throw contract(`"${name}" must be an array.`);
}

function contract(message: string): ExportError {
  return new ExportError("invalid_export", `The JSON is no OTLP export: ${message}`);
}

/** One item into the export, or its rejection. */
export function readItem<Item extends object>(
  signal: Signal,
  into: Export<Item>,
  value: unknown,
  item: Item,
  known: ReadonlySet<string>,
  read: (message: Message) => void,
): void {
  takeItem(signal, into, item, () => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ItemRefusal("invalid_field", "an object is needed.");
    }
    refuseSnakeCase(value as Message, known);
    read(value as Message);
  });
}

function resourceOf(ofResource: Message): Resource {
  const resource = emptyResource();
  const { attributes } = messageOf(ofResource.resource, "resource");
  readAttributes(attributes, "resource.attributes", resource.attributes);
  resource.schema_url = textOf(ofResource.schemaUrl, "schemaUrl");
  return resource;
}

function scopeOf(ofScope: Message): Scope {
  const scope = emptyScope();
  const { name, version, attributes } = messageOf(ofScope.scope, "scope");
  scope.name = textOf(name, "scope.name");
  scope.version = textOf(version, "scope.version");
  readAttributes(attributes, "scope.attributes", scope.attributes);
  scope.schema_url = textOf(ofScope.schemaUrl, "schemaUrl");
  return scope;
}

/** Of two values with one key the last stays. */
export function readAttributes(list: unknown, name: string, into: Attributes, depth = 0): void {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    throw mistyped(name, 'an array of {"key": …, "value": {"stringValue": …}}', list);
  }
  if (list.length > attributesMax) throw tooManyAttributes();
  for (const entry of list) {
    const { key, value } = messageOf(entry, `${name}[]`);
    const text = textOf(key, `${name}[].key`);
    into[text] = readValue(value, text, depth);
  }
}

/** An AnyValue; one without a value is null. */
export function readValue(value: unknown, name: string, depth = 0): Value {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw mistyped(name, 'an object such as {"stringValue": "…"}', value);
  }
  const any = value as Message;
  // Most are text.
  if (typeof any.stringValue === "string") return any.stringValue;
  for (const key in any) {
    if (any[key] === null) continue;
    const read = kinds.get(key);
    if (read !== undefined) return read(any[key], name, depth);
    const camel = camelCase(key);
    if (kinds.has(camel)) throw new ItemRefusal("invalid_field", snakeCase(key, camel));
  }
  return null;
}

type Read = (value: unknown, name: string, depth: number) => Value;

const kinds = new Map<string, Read>([
  ["stringValue", textOf],
  ["boolValue", booleanOf],
  ["intValue", integerOf],
  ["doubleValue", (value, name) => numberValue(doubleOf(value, name))],
  ["arrayValue", readArray],
  ["kvlistValue", readMap],
  ["bytesValue", (value, name) => base64Of(textOf(value, name))],
]);

function readArray(value: unknown, name: string, depth: number): Value[] {
  const inside = deeper(depth);
  const { values } = messageOf(value, name);
  return listOf(values, `${name}.values`).map((one) => readValue(one, name, inside));
}

function readMap(value: unknown, name: string, depth: number): Attributes {
  const inside = deeper(depth);
  const map = emptyAttributes();
  readAttributes(messageOf(value, name).values, `${name}.values`, map, inside);
  return map;
}

/** One spelling for what base64 may spell with or without padding. */
function base64Of(text: string): string {
  return Buffer.from(text, "base64").toString("base64");
}
