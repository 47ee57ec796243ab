// What `init` is told, by its argument before the environment, becomes settings or one warning.
import { type Redact, type Redactor, redactorsOf } from "./redact.ts";
import { isVercel, variable, vercelWaitUntil } from "./host.ts";

/** Why an event did not reach the server; `stats().dropped` counts by it. */
export type DropReason =
  | "queue_full"
  | "sampled_out"
  | "before_send"
  | "invalid_event"
  | "too_large"
  | "rejected"
  | "unauthorized"
  | "send_failed"
  | "closed"
  | "internal_error";

/** An event as it is about to be sent: plain JSON data, a copy of what was logged. */
export type SentEvent = Record<string, unknown>;

export interface Options {
  /** `http(s)://<key>@<host>[:<port>][/<base>]/<project_id>`; AISENTRY_DSN unless given. */
  dsn?: string;
  /** Version of the program; AISENTRY_RELEASE unless given. */
  release?: string;
  /** Deployment environment, such as production; AISENTRY_ENVIRONMENT unless given. */
  env?: string;
  /**
   * Part of the runs that is recorded, from 0 to 1; AISENTRY_SAMPLE_RATE unless given, otherwise 1.
   * Failures are always recorded.
   */
  sample_rate?: number;
  /** End user of events that name none. */
  user_id?: string;
  /** Session of events that name none. */
  session_id?: string;
  /** Labels of every event. */
  tags?: readonly string[];
  /**
   * Sees each event last and returns it, changed or not, or null to drop it. If it throws, the event
   * is sent without its texts and payloads.
   */
  before_send?: (event: SentEvent) => SentEvent | null;
  /** Is told of events that will not arrive. */
  on_drop?: (reason: DropReason, count: number) => void;
  /** Keeps a serverless program alive until a promise ends. Vercel's is found by itself. */
  wait_until?: (work: Promise<unknown>) => void;
  /** Name of the program; AISENTRY_SERVICE or OTEL_SERVICE_NAME unless given. */
  service?: string;
  /**
   * False leaves out what people wrote and programs said: prompts, answers, inputs and outputs;
   * AISENTRY_CAPTURE_CONTENT unless given, otherwise true.
   */
  capture_content?: boolean;
  /**
   * True takes personal data out of every text, names only those kinds, a function does so itself.
   * Keys and passwords are always taken out.
   */
  redact?: Redact;
  /**
   * Folder for what cannot be delivered (Node, Bun, Deno); it is sent later, by whatever process uses
   * the folder then. AISENTRY_SPOOL_DIR unless given, otherwise there is none.
   */
  spool_dir?: string;
  /** False makes every call a no-op; AISENTRY_ENABLED unless given, otherwise true. */
  enabled?: boolean;
  /** Tells on the console what is sent; AISENTRY_DEBUG unless given. */
  debug?: boolean;
}

export interface Settings {
  endpoint: string;
  key: string;
  release?: string;
  env?: string;
  sample_rate: number;
  user_id?: string;
  session_id?: string;
  tags: readonly string[];
  service?: string;
  capture_content: boolean;
  redact: unknown;
  redactors: readonly Redactor[];
  spool_dir?: string;
  before_send?: (event: SentEvent) => SentEvent | null;
  on_drop?: (reason: DropReason, count: number) => void;
  wait_until?: (work: Promise<unknown>) => void;
  debug: boolean;
}

/** Where events go. */
export interface Target {
  endpoint: string;
  key: string;
}

/** Null when it is not a DSN. */
export function parseDsn(dsn: string): Target | null {
  try {
    const url = new URL(dsn.trim());
    if (url.protocol !== "http:" && url.protocol !== "https:") return null;
    // A key may have a colon in it.
    const key = decodeURIComponent(
      url.username + (url.password && `:${url.password}`),
    );
    const path = url.pathname.replace(/\/+$/, "");
    const base = path.slice(0, path.lastIndexOf("/"));
    const project = path.slice(base.length + 1);
    // A header takes visible ASCII only.
    if (!/^[\x21-\x7e]+$/.test(key) || project === "") return null;
    return { endpoint: `${url.origin}${base}/v1/events`, key };
  } catch {
    return null;
  }
}

/** Null means: record nothing. `warn` is told why, unless that is what was asked for. */
export function readSettings(
  options: Options,
  warn: (text: string) => void,
): Settings | null {
  const enabled = options.enabled ?? flag("AISENTRY_ENABLED") ?? true;
  if (enabled !== true) return null;
  const dsn = options.dsn ?? variable("AISENTRY_DSN");
  if (dsn === undefined || dsn === null || dsn === "") return null;
  const target = typeof dsn === "string" ? parseDsn(dsn) : null;
  if (target === null) {
    warn(
      "The DSN is not of the form http(s)://<key>@<host>/<project_id>: nothing is recorded.",
    );
    return null;
  }
  const { redactors, unknown } = redactorsOf(options.redact);
  if (unknown.length > 0) warn(`redact knows no ${unknown.join(", ")}.`);
  return {
    ...target,
    redact: options.redact,
    redactors,
    capture_content: options.capture_content ??
      flag("AISENTRY_CAPTURE_CONTENT") ?? true,
    service: text(options.service) ?? variable("AISENTRY_SERVICE") ??
      variable("OTEL_SERVICE_NAME"),
    spool_dir: text(options.spool_dir) ?? variable("AISENTRY_SPOOL_DIR"),
    sample_rate: sampleRate(options, warn),
    tags: Array.isArray(options.tags) ? options.tags.map(String) : [],
    debug: options.debug ?? flag("AISENTRY_DEBUG") ?? false,
    release: text(options.release) ?? variable("AISENTRY_RELEASE"),
    env: text(options.env) ?? variable("AISENTRY_ENVIRONMENT"),
    user_id: text(options.user_id),
    session_id: text(options.session_id),
    before_send: hook(options.before_send),
    on_drop: hook(options.on_drop),
    wait_until: hook(options.wait_until) ??
      (isVercel() ? vercelWaitUntil : undefined),
  };
}

function sampleRate(options: Options, warn: (text: string) => void): number {
  const told: unknown = options.sample_rate ??
    variable("AISENTRY_SAMPLE_RATE") ?? 1;
  const rate = typeof told === "string" ? Number(told) : told;
  if (typeof rate === "number" && rate >= 0 && rate <= 1) return rate;
  warn("sample_rate must be a number from 0 to 1: everything is recorded.");
  return 1;
}

function flag(name: string): boolean | undefined {
  const value = variable(name)?.trim().toLowerCase();
  if (value === undefined) return undefined;
  return !["0", "false", "no", "off"].includes(value);
}

/** Ids and versions are often numbers. */
export function text(value: unknown): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

function hook<F>(value: F | undefined): F | undefined {
  return typeof value === "function" ? value : undefined;
}

/** Whether a second `init` asks for what is there already. */
export function sameSettings(one: Settings, other: Settings): boolean {
  const names = Object.keys({ ...one, ...other }) as (keyof Settings)[];
  return names.every((name) => {
    const [a, b] = [one[name], other[name]];
    // The redactors are made of `redact`, which is compared.
    return a === b || name === "redactors" ||
      Array.isArray(a) && Array.isArray(b) && a.join("\n") === b.join("\n");
  });
}
