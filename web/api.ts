// The only place that talks to the server: typed questions, and errors with a reason to show.
import type { Event } from "../src/event.ts";
import type {
  Alert,
  Backtest,
  Channel,
  ChannelTest,
  Delivery,
  Rule,
  RuleTemplate,
} from "./parts/alert.ts";
import type { Issue, IssueChange, IssueDetail, IssueList } from "./parts/issue.ts";
import type { Monitor, MonitorResult, MonitorTried } from "./parts/monitor.ts";

/** An event without its payload, as lists show it. */
export type LightEvent =
  & Omit<Event, "prompt" | "response" | "input" | "output" | "input_data" | "output_data">
  & { input_preview?: string | null; output_preview?: string | null };

export type FullEvent = Event & Record<string, unknown>;

export interface RunEvent extends LightEvent {
  depth: number;
  parent_event_id?: string | null;
  parent_missing?: boolean;
}

export interface Run {
  run_id: string;
  name: string | null;
  started_at: string;
  ended_at: string;
  duration_ms: number | null;
  status: "success" | "error";
  event_count: number;
  error_count: number;
  prompt_call_count: number;
  tool_call_count: number;
  tokens_input: number | null;
  tokens_output: number | null;
  cost_usd: number | null;
  unpriced?: number;
  models: string[];
  user_id: string | null;
  session_id: string | null;
  release: string | null;
  env: string | null;
  tags: string[];
  input_preview: string | null;
  output_preview: string | null;
  error_message: string | null;
}

export interface Measures {
  requests: number;
  errors: number;
  error_rate: number | null;
  tokens_input: number | null;
  tokens_output: number | null;
  tokens_total: number | null;
  cost_usd: number | null;
  unpriced: number;
  latency_avg_ms: number | null;
  latency_p50_ms: number | null;
  latency_p95_ms: number | null;
  latency_p99_ms: number | null;
  ttft_p50_ms: number | null;
}

export interface Metrics {
  since: string;
  until: string;
  interval_seconds: number;
  group_by: string | null;
  summary: Measures;
  groups: (Measures & { group: string | null })[];
  series: (Measures & { bucket: string; group: string | null })[];
}

export interface Page {
  total: number;
  has_more: boolean;
  next_cursor: string | null;
}

export type Facets = Record<string, { value: string; count: number }[]>;

export interface Status {
  version: string;
  data_dir: string | null;
  pending_events: number;
  events_total: number;
  points_total: number;
  /** What SDKs say they dropped before sending, by reason. */
  client_drops: Record<string, number>;
  damaged_files: number;
  damaged_rows: number;
  files: number;
  lake_bytes: number;
}

export interface Session {
  authenticated: boolean;
  local: boolean;
  projects: { project_id: string; name: string }[];
  scopes: string[];
}

export interface SqlAnswer {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  row_count: number;
  truncated: boolean;
  elapsed_ms: number;
}

type Rates = Partial<Record<string, number | null>>;

/** A price that the project sets itself, in US dollars for a million tokens. */
export interface CustomPrice {
  match: string;
  provider?: string | null;
  valid_from?: string | null;
  per_million: Rates;
  per_request?: number | null;
  tiers?: unknown;
}

/** A card of the price list; the last period that has begun holds. */
export interface Price {
  price: string;
  provider: string | null;
  match: string;
  source: string;
  periods: {
    valid_from: string | null;
    prices: { service: string; context_above: number; per_million: Rates }[];
  }[];
}

export interface Unpriced {
  model: string | null;
  provider: string | null;
  calls: number;
  tokens_input: number | null;
  tokens_output: number | null;
  first_seen: string;
  last_seen: string;
}

/** Where the fields of a span or log record came from. */
export interface Mapping {
  received_as: "span" | "log";
  conventions: { id: string; title: string; source: string }[];
  kind: string;
  kind_by: string | null;
  fields: (Origin & { field: string; others: Origin[] })[];
  rules: string[];
  left_over: string[];
}

export interface Origin {
  from: string;
  convention: string;
  value: string;
}

export type RedactionMode = "off" | "detect" | "mask" | "hash" | "drop";

export interface RedactionSettings {
  mode: RedactionMode;
  /** All when left out. */
  kinds?: string[];
  custom: { name: string; pattern: string; flags?: string }[];
  allow: string[];
  fields?: { exclude: string[] };
  policy: { banned_terms: string[]; prompt_injection: boolean };
}

export interface Redaction {
  settings: RedactionSettings;
  /** The project has none of its own. */
  inherited: boolean;
  switched_off: string[];
}

export interface RedactionKind {
  kind: string;
  by: "checksum" | "form" | "context";
  help: string;
}

/** What would be stored of a text. */
export interface RedactionTrial {
  text: string | null;
  counts: Record<string, number>;
  findings: { kind: string; rule: string | null; start: number; end: number }[];
  policy: Record<string, unknown>[];
}

export interface PointMetric {
  name: string;
  type: string;
  unit: string | null;
  description: string | null;
  temporality: string | null;
  monotonic: boolean | null;
  points: number;
  series: number;
}

export interface PointMeasures {
  points: number;
  series: number;
  value: number | null;
  count: number | null;
  sum: number | null;
  avg: number | null;
  min: number | null;
  max: number | null;
  rate: number | null;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
}

/** A metric of OpenTelemetry over time. */
export interface Points {
  metric: PointMetric | null;
  since: string | null;
  until: string | null;
  interval_seconds: number;
  groups: (PointMeasures & { group: string | null })[];
  groups_total: number;
  series: (PointMeasures & { bucket: string; group: string | null })[];
  quantiles_known: boolean;
}

export interface RetentionSetting {
  /** Null is the server's own; 0 is for ever. */
  days: number | null;
  environments: Record<string, number>;
}

export interface Retention extends RetentionSetting {
  default_days: number;
  disk: { bytes: number; bytes_max: number; is_over: boolean } | null;
  dropped: {
    dropped_at: string;
    reason: "retain" | "disk";
    date: string;
    rows: number;
    bytes: number;
  }[];
}

export interface ErasureLook {
  project_id: string;
  events: number;
  points: number;
  pieces: number;
}

export interface Erasure {
  id: string;
  kind: string;
  subject: string;
  state: "waiting" | "erasing" | "done";
  requested_at: string;
  ended_at: string | null;
  message: string | null;
  counts: Record<string, number>;
}

export type Query = Record<string, string | string[] | number | null | undefined>;

/** What went wrong, in words to show; `status` is 0 when the server did not answer. */
export class ApiError extends Error {
  readonly status: number;
  /** Path of what is not valid in the body that was sent, such as `baseline.days`. */
  readonly field: string | null;
  constructor(status: number, message: string, field: string | null = null) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

/** Told of every answer 401, so that the page can ask for a key. */
export const onUnauthorized = { call: () => {} };

export function searchOf(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, ...init });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer. Is it running?");
  }
  if (response.ok) return response;
  if (response.status === 401) onUnauthorized.call();
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  try {
    const { detail, title, field } = await response.json() as Record<string, string | undefined>;
    return new ApiError(status, detail ?? title ?? `The server answered ${status}.`, field);
  } catch {
    return new ApiError(status, `The server answered ${status} ${statusText}.`);
  }
}

async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await request(path + searchOf(query), signal === undefined ? {} : { signal });
  return await response.json() as T;
}

function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return send("POST", path, body, signal);
}

function send(
  method: "POST" | "PUT" | "PATCH",
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return request(path, {
    method,
    headers: { "content-type": "application/json", "accept": "application/json" },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

function issuePath(id: string): string {
  return `/api/issues/${encodeURIComponent(id)}`;
}

function monitorPath(id: string): string {
  return `/api/monitors/${encodeURIComponent(id)}`;
}

function alertingPath(kind: "rules" | "channels" | "alerts" | "deliveries", id: string): string {
  return `/api/${kind}/${encodeURIComponent(id)}`;
}

/** Where a browser finds everything of a subject, to keep it as a file. */
export function exportPath(query: Query): string {
  return `/api/export${searchOf(query)}`;
}

export const api = {
  retention: (query: Query, signal?: AbortSignal) =>
    get<Retention>("/api/retention", query, signal),
  setRetention: async (setting: RetentionSetting & { dry_run: boolean }, query: Query) =>
    await (await send("PUT", `/api/retention${searchOf(query)}`, setting)).json() as {
      would_drop_events: number;
    },
  erasures: (query: Query, signal?: AbortSignal) =>
    get<{ erasures: Erasure[] }>("/api/erasures", query, signal),
  lookErasure: async (asked: Query) =>
    await (await post("/api/erasures", { ...asked, dry_run: true })).json() as {
      would_erase: ErasureLook[];
    },
  erase: async (asked: Query) => await (await post("/api/erasures", asked)).text(),
  session: () => get<Session>("/api/session"),
  logIn: async (key: string) => await (await post("/api/session", { key })).text(),
  logOut: async () => await (await request("/api/session", { method: "DELETE" })).text(),
  projects: () => get<{ projects: { project_id: string; name: string }[] }>("/api/projects"),
  status: (query: Query) => get<Status>("/api/status", query),
  events: (query: Query, signal?: AbortSignal) =>
    get<Page & { events: LightEvent[] }>("/api/events", { view: "light", ...query }, signal),
  fullEvents: (query: Query, signal?: AbortSignal) =>
    get<Page & { events: FullEvent[] }>("/api/events", { view: "full", ...query }, signal),
  event: (event_id: string, query: Query, signal?: AbortSignal) =>
    get<FullEvent>(`/api/events/${encodeURIComponent(event_id)}`, query, signal),
  runs: (query: Query, signal?: AbortSignal) =>
    get<Page & { runs: Run[] }>("/api/runs", query, signal),
  run: (run_id: string, query: Query, signal?: AbortSignal) =>
    get<{ run: Run; events: RunEvent[]; truncated?: boolean }>(
      `/api/runs/${encodeURIComponent(run_id)}`,
      query,
      signal,
    ),
  metrics: (query: Query, signal?: AbortSignal) => get<Metrics>("/api/metrics", query, signal),
  facets: (query: Query, signal?: AbortSignal) => get<Facets>("/api/facets", query, signal),
  sql: async (sql: string, project_id: string, signal: AbortSignal) =>
    await (await post("/api/sql", { sql, project_id }, signal)).json() as SqlAnswer,
  sqlFile: async (sql: string, project_id: string, format: "csv" | "parquet") =>
    await (await post("/api/sql", { sql, project_id, format })).blob(),
  prices: (query: Query, signal?: AbortSignal) =>
    get<{ custom: CustomPrice[]; prices: Price[]; total: number }>("/api/prices", query, signal),
  setPrices: async (prices: CustomPrice[], query: Query) =>
    await (await send("PUT", `/api/prices/custom${searchOf(query)}`, { prices })).json(),
  unpriced: (query: Query, signal?: AbortSignal) =>
    get<{ models: Unpriced[] }>("/api/prices/unpriced", query, signal),
  mapping: (event_id: string, query: Query, signal?: AbortSignal) =>
    get<Mapping>(`/api/events/${encodeURIComponent(event_id)}/mapping`, query, signal),
  redaction: (query: Query, signal?: AbortSignal) =>
    get<Redaction>("/api/redaction", query, signal),
  /** Null returns to what the server does without settings. */
  setRedaction: async (settings: RedactionSettings | null, query: Query) =>
    await (await send("PUT", `/api/redaction${searchOf(query)}`, settings)).json() as Redaction,
  tryRedaction: async (
    text: string,
    settings: RedactionSettings,
    query: Query,
    signal?: AbortSignal,
  ) => {
    const path = `/api/redaction/try${searchOf(query)}`;
    return await (await post(path, { text, settings }, signal)).json() as RedactionTrial;
  },
  redactionKinds: (signal?: AbortSignal) =>
    get<{ kinds: RedactionKind[] }>("/api/redaction/kinds", {}, signal),
  pointNames: (query: Query, signal?: AbortSignal) =>
    get<{ names: PointMetric[] }>("/api/points/names", query, signal),
  pointAttributes: (query: Query, signal?: AbortSignal) =>
    get<{ attributes: { attribute: string; values: number }[] }>(
      "/api/points/attributes",
      query,
      signal,
    ),
  points: (query: Query, signal?: AbortSignal) => get<Points>("/api/points", query, signal),
  channels: (query: Query, signal?: AbortSignal) =>
    get<{ channels: Channel[] }>("/api/channels", query, signal),
  issues: (query: Query, signal?: AbortSignal) => get<IssueList>("/api/issues", query, signal),
  issue: (id: string, query: Query, signal?: AbortSignal) =>
    get<IssueDetail>(issuePath(id), query, signal),
  changeIssue: async (id: string, change: IssueChange, query: Query) =>
    await (await send("PATCH", issuePath(id) + searchOf(query), change)).json() as Issue,
  mergeIssues: async (id: string, issues: string[], query: Query) =>
    await (await post(`${issuePath(id)}/merge${searchOf(query)}`, { issues })).json() as Issue,
  unmergeIssue: async (id: string, query: Query) =>
    await (await request(`${issuePath(id)}/merge${searchOf(query)}`, { method: "DELETE" }))
      .json() as Issue,
  monitors: (query: Query, signal?: AbortSignal) =>
    get<{ monitors: Monitor[] }>("/api/monitors", query, signal),
  monitor: (id: string, signal?: AbortSignal) => get<Monitor>(monitorPath(id), {}, signal),
  monitorResults: (id: string, query: Query, signal?: AbortSignal) =>
    get<{ results: MonitorResult[]; next_cursor: string | null }>(
      `${monitorPath(id)}/results`,
      query,
      signal,
    ),
  alerts: (query: Query, signal?: AbortSignal) =>
    get<{ alerts: Alert[]; next_cursor: string | null }>("/api/alerts", query, signal),
  resolveAlert: async (id: string) =>
    await (await post(`${alertingPath("alerts", id)}/resolve`, {})).json() as Alert,
  actOnAlert: async (id: string, index: number) =>
    await (await post(`${alertingPath("alerts", id)}/actions/${index}`, {})).text(),
  rules: (query: Query, signal?: AbortSignal) =>
    get<{ rules: Rule[] }>("/api/rules", query, signal),
  rule: (id: string, signal?: AbortSignal) => get<Rule>(alertingPath("rules", id), {}, signal),
  ruleTemplates: (signal?: AbortSignal) =>
    get<{ templates: RuleTemplate[] }>("/api/rules/templates", {}, signal),
  backtest: async (fields: object, signal?: AbortSignal) =>
    await (await post("/api/rules/backtest", fields, signal)).json() as Backtest,
  createRule: async (fields: object) => await (await post("/api/rules", fields)).json() as Rule,
  replaceRule: async (id: string, fields: object) =>
    await (await send("PUT", alertingPath("rules", id), fields)).json() as Rule,
  changeRule: async (id: string, fields: object) =>
    await (await send("PATCH", alertingPath("rules", id), fields)).json() as Rule,
  deleteRule: async (id: string) =>
    await (await request(alertingPath("rules", id), { method: "DELETE" })).text(),
  createChannel: async (fields: object) =>
    await (await post("/api/channels", fields)).json() as Channel,
  changeChannel: async (id: string, fields: object) =>
    await (await send("PATCH", alertingPath("channels", id), fields)).json() as Channel,
  deleteChannel: async (id: string) =>
    await (await request(alertingPath("channels", id), { method: "DELETE" })).text(),
  testChannel: async (id: string) =>
    await (await post(`${alertingPath("channels", id)}/test`, {})).json() as ChannelTest,
  deliveries: (query: Query, signal?: AbortSignal) =>
    get<{ deliveries: Delivery[]; next_cursor: string | null }>("/api/deliveries", query, signal),
  retryDelivery: async (id: string) =>
    await (await post(`${alertingPath("deliveries", id)}/retry`, {})).json() as Delivery,
  createMonitor: async (fields: object) =>
    await (await post("/api/monitors", fields)).json() as Monitor,
  replaceMonitor: async (id: string, fields: object) =>
    await (await send("PUT", monitorPath(id), fields)).json() as Monitor,
  changeMonitor: async (id: string, fields: object) =>
    await (await send("PATCH", monitorPath(id), fields)).json() as Monitor,
  deleteMonitor: async (id: string) =>
    await (await request(monitorPath(id), { method: "DELETE" })).text(),
  runMonitor: async (id: string) =>
    await (await request(`${monitorPath(id)}/run`, { method: "POST" })).json() as MonitorResult,
  tryMonitor: async (fields: object, signal?: AbortSignal) =>
    await (await post("/api/monitors/try", fields, signal)).json() as MonitorTried,
  /** A file that was moved out of an event. */
  blobAddress: (sha256: string, query: Query) => `/api/blobs/${sha256}${searchOf(query)}`,
  /** Server-sent events; the browser reconnects and resumes by itself. */
  live: (query: Query) => new EventSource(`/api/live${searchOf(query)}`),
};
