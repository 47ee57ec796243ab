// Data points as the OTLP decoders read them → complete points, each with its line of the log, and
// named rejections. Pure: time is an argument.
import type { Rejection, RejectionReason } from "../event.ts";
import { limits } from "../limits.ts";
import type { Point } from "../point.ts";
import { lineOf, type Steps } from "./batch.ts";
import type { Attributes, MetricPoint } from "./otlp/telemetry.ts";

export interface PointBatch {
  points: Point[];
  /** Of each point, the line that goes into the log, newline included. */
  lines: string[];
  rejected: Rejection[];
}

export interface PointReceipt {
  /** ISO 8601 with microseconds, UTC. */
  received_at: string;
  project_id: string;
  /** Latest time that is believed. Milliseconds since 1970. */
  latestMs: number;
}

/** The attributes of what is sent are masked in place. */
export function receivePoints(
  sent: readonly MetricPoint[],
  receipt: PointReceipt,
  redact: Steps["redact"],
): PointBatch {
  const batch: PointBatch = { points: [], lines: [], rejected: [] };
  const mask = redact === null ? null : maskOf(redact);
  sent.forEach((one, index) => {
    const refuse = (field: string | null, reason: RejectionReason, message: string) =>
      void batch.rejected.push({ index, event_id: null, field, reason, message });
    const refusal = refusalOf(one, receipt);
    if (refusal !== null) return refuse(...refusal);
    const redactions = mask === null ? null : mask(one);
    const point = complete(one, receipt);
    if (redactions !== null) point.redactions = redactions;
    const line = lineOf(point);
    if (line.length * 3 > limits.eventBytesMax && Buffer.byteLength(line) > limits.eventBytesMax) {
      const message = `The data point has more than ${limits.eventBytesMax} bytes.`;
      return refuse(null, "event_too_large", message);
    }
    batch.points.push(point);
    batch.lines.push(line);
  });
  return batch;
}

type Counts = Record<string, number>;

/** Masks the attributes of points; what many points share is looked at once. */
function maskOf(redact: NonNullable<Steps["redact"]>): (point: MetricPoint) => Counts | null {
  const shared = new Map<object, Counts>();
  // Metrics are grouped by attributes, so each is treated like a label: two values that are masked
  // must stay two, or counts of two series would be taken for one that falls.
  const counted = (value: object): Counts => redact({ tags: value })?.counts ?? {};
  const countedOnce = (value: object) => {
    let counts = shared.get(value);
    if (counts === undefined) shared.set(value, counts = counted(value));
    return counts;
  };
  return ({ resource, scope, attributes, exemplars }) => {
    const counts: Counts = {};
    for (
      const found of [
        countedOnce(resource.attributes),
        countedOnce(scope.attributes),
        counted(attributes),
        counted(exemplars),
      ]
    ) for (const kind in found) counts[kind] = (counts[kind] ?? 0) + found[kind]!;
    return isFilled(counts) ? counts : null;
  };
}

type Refusal = [field: string, reason: RejectionReason, message: string];

function refusalOf(sent: MetricPoint, receipt: PointReceipt): Refusal | null {
  const { name, time, start, count } = sent;
  if (name.length > limits.labelCharactersMax) {
    const message = `name has ${name.length} characters; at most ${limits.labelCharactersMax}.`;
    return ["name", "too_long", message];
  }
  for (const [field, nanos] of [["time", time], ["start", start]] as const) {
    const ms = Number(nanos / 1_000_000n);
    // 0 is a time that the producer does not know.
    if (nanos === 0n || (ms >= limits.earliestMs && ms <= receipt.latestMs)) continue;
    const message = `${field} must lie between 2000-01-01 and a day from now.`;
    return [field, "out_of_range", message];
  }
  if (count !== null && !Number.isSafeInteger(count)) {
    return ["count", "out_of_range", `count is ${count}, which no histogram can have.`];
  }
  return null;
}

const microsPerSecond = 1_000_000n;

/** Nanoseconds since 1970 → ISO 8601 with microseconds, UTC. */
function timeOf(nanos: bigint): string {
  const micros = nanos / 1000n;
  const seconds = new Date(Number(micros / microsPerSecond) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % microsPerSecond).padStart(6, "0")}Z`;
}

function complete(sent: MetricPoint, receipt: PointReceipt): Point {
  const { name, type, attributes } = sent;
  const resource = sent.resource.attributes;
  const said: Said = { name, type };
  if (sent.start !== 0n) said.start_timestamp = timeOf(sent.start);
  if (sent.description !== "") said.description = sent.description;
  if (sent.unit !== "") said.unit = sent.unit;
  if (sent.temporality !== null) said.temporality = sent.temporality;
  if (sent.monotonic !== null) said.monotonic = sent.monotonic;
  for (const field of ["value", "count", "sum", "min", "max"] as const) {
    const number = sent[field];
    // What is not a number is not known, and JSON could not say it.
    if (number !== null && Number.isFinite(number)) said[field] = number;
  }
  if (sent.distribution !== null) said.distribution = sent.distribution;
  if (isFilled(attributes)) said.attributes = attributes;
  if (isFilled(resource)) said.resource = resource;
  const scope = scopeOf(sent.scope);
  if (isFilled(scope)) said.scope = scope;
  const service = resource["service.name"];
  if (typeof service === "string" && service !== "") said.service = label(service);
  const env = resource["deployment.environment.name"] ?? resource["deployment.environment"];
  if (typeof env === "string" && env !== "") said.env = label(env);
  if (sent.exemplars.length > 0) said.exemplars = sent.exemplars;
  if (sent.flags !== 0) said.flags = sent.flags;
  const { scope: { name: scopeName, version, attributes: scopeAttributes } } = sent;
  const series_id = digest(
    [resource, scopeAttributes, attributes].map(digestOf).join("") +
      JSON.stringify([scopeName, version, name]),
  );
  return {
    // First: it tells the line from that of an event.
    point_id: digest(`${series_id}${sent.time}\0${JSON.stringify(said)}`),
    project_id: receipt.project_id,
    timestamp: sent.time === 0n ? receipt.received_at : timeOf(sent.time),
    received_at: receipt.received_at,
    series_id,
    ...said,
  };
}

/** What the producer said of the point but its time: all of it makes the point's identity. */
type Said = Omit<Point, "point_id" | "project_id" | "timestamp" | "received_at" | "series_id">;

function scopeOf({ name, version, attributes }: MetricPoint["scope"]): Record<string, unknown> {
  const scope: Record<string, unknown> = {};
  if (name !== "") scope.name = name;
  if (version !== "") scope.version = version;
  if (isFilled(attributes)) scope.attributes = attributes;
  return scope;
}

function isFilled(object: Record<string, unknown>): boolean {
  for (const _ in object) return true;
  return false;
}

function label(text: string): string {
  return text.slice(0, limits.labelCharactersMax).toWellFormed();
}

const digestCharacters = 32;

/** 128 bits, hex. */
function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, digestCharacters);
}

/** Points of one export share their resource and scope: each is looked at once. */
const digests = new WeakMap<object, string>();

/** The same whatever the order of keys, which producers do not keep. */
function digestOf(object: Attributes): string {
  const known = digests.get(object);
  if (known !== undefined) return known;
  const sorted = Object.keys(object).sort().map((key) => [key, object[key]]);
  const made = digest(JSON.stringify(sorted));
  digests.set(object, made);
  return made;
}
