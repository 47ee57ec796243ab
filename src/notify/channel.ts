// What a channel is: one file that says how it is set up and how it tells. `channels.ts` lists them.
import type { z } from "zod";
import type { NoticeKind } from "../alert/tell.ts";
import type { Level, RunbookAction } from "../alert/rule.ts";

/** What there is to tell: alerts of one rule that began, went on or ended at one time. */
export interface Notification {
  /** The same however often it is sent: receivers may deduplicate by it. */
  id: string;
  kind: NoticeKind | "test" | "page";
  /** ISO 8601. */
  at: string;
  project_id: string;
  rule: {
    id: string;
    name: string;
    description: string | null;
    metric: string | null;
    window_minutes: number;
    labels: Record<string, string>;
    runbook: { url: string | null; steps: string[]; actions: RunbookAction[] };
  };
  /** The highest level of its alerts. */
  level: Level;
  title: string;
  text: string;
  /** The first of them; `alerts_total` says how many there are. */
  alerts: ToldAlert[];
  alerts_total: number;
}

export interface ToldAlert {
  id: string;
  labels: Record<string, string>;
  level: Level;
  value: number | null;
  threshold: number | null;
  expected: number | null;
  started_at: string;
  fired_at: string;
  resolved_at: string | null;
  resolved_reason: string | null;
  text: string;
}

/** Why it was not delivered; the list is closed. */
export type SendFailure =
  | "address_refused"
  | "unreachable"
  | "timeout"
  | "tls"
  | "redirected"
  | "answered_error"
  | "not_configured";

export type Outcome =
  | { ok: true; status: number | null }
  | {
    ok: false;
    reason: SendFailure;
    /** A sentence for people. */
    message: string;
    status: number | null;
    /** Trying again is of no use. */
    permanent: boolean;
    /** Seconds that the receiver asks for. */
    retryAfterS: number | null;
  };

export interface Request {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** How a channel reaches the world; it opens no connection of its own. */
export interface Transport {
  /** An address of the internal network is refused unless it is allowed. */
  post(request: Request): Promise<Outcome>;
  /** The checked address of a host, for a protocol other than HTTP. */
  resolve(host: string): Promise<{ address: string } | Extract<Outcome, { ok: false }>>;
  nowMs(): number;
}

export interface ChannelKind<C> {
  type: string;
  /** What is set up, beside a name. */
  schema: z.ZodType<C>;
  /** Fields that are sealed at rest and never shown. */
  secrets: readonly (keyof C & string)[];
  /** The receiver follows each alert for itself: it is told of them one by one. */
  perAlert: boolean;
  send(config: C, notification: Notification, transport: Transport): Promise<Outcome>;
}

/** Settings of some channel, checked by the schema of its kind. */
export type Settings = Record<string, unknown>;

/** A kind is written with the type of its own settings, and listed without. */
export function channelKind<C>(kind: ChannelKind<C>): ChannelKind<Settings> {
  return kind as unknown as ChannelKind<Settings>;
}

export const json = { "content-type": "application/json" } as const;

/** "1.5", "0.0523", "1234567": as many digits as people need. */
export function numberText(value: number | null): string {
  if (value === null) return "no data";
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}
