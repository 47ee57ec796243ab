// What pages of monitors share: how a monitor looks to the server, its state in a word, its checks as a
// strip.
import { linkTo } from "./address.ts";
import { duration, moment, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon, type IconName } from "./icons.ts";

export type Outcome = "ok" | "failing" | "erroring" | "interrupted";
export type MonitorStatus = "ok" | "failing" | "erroring" | "paused" | "never_ran";

export interface MonitorResult {
  id: string;
  at: string;
  outcome: Outcome;
  by: "schedule" | "hand";
  problem: string | null;
  message: string | null;
  latency_ms: number | null;
  first_token_ms: number | null;
  cost_usd: number | null;
  status: number | null;
  attempts: number;
  assertions: { text: string; holds: boolean | null }[];
  stored: "stored" | "sampled_out" | "refused" | null;
}

export interface MonitorPeriod {
  checks: number;
  ok: number;
  failing: number;
  erroring: number;
  uptime: number | null;
  latency_ms: number | null;
  cost_usd: number | null;
}

export type Assertion = { type: string } & Record<string, unknown>;

/** What can be set; secrets go in only. */
export interface MonitorFields {
  name: string;
  description?: string;
  enabled: boolean;
  type: "openai" | "anthropic" | "http";
  url: string;
  model?: string;
  provider?: string;
  prompt?: string | { role: string; content: string }[];
  system?: string;
  parameters: Record<string, unknown>;
  stream: boolean;
  method?: string;
  body?: string;
  interval_minutes: number;
  timeout_seconds: number;
  retries: number;
  assertions: Assertion[];
  channels: string[];
  failures_to_alert: number;
  repeat_minutes: number;
  env?: string;
  tags: string[];
}

export interface Monitor extends MonitorFields {
  id: string;
  project_id: string;
  secrets: string[];
  created_at: string;
  updated_at: string;
  state: {
    status: MonitorStatus;
    running: boolean;
    next_at: string | null;
    failures: number;
    since: string | null;
    firing: boolean;
    last: MonitorResult | null;
  };
  uptime: Record<"24h" | "7d" | "30d", MonitorPeriod>;
  recent: { id: string; at: string; outcome: Outcome; latency_ms: number | null }[];
}

/** What came of a monitor that was tried. */
export interface MonitorTried {
  outcome: Outcome;
  problem: string | null;
  message: string | null;
  status: number | null;
  latency_ms: number;
  first_token_ms: number | null;
  cost_usd: number | null;
  model: string | null;
  tokens_input: number | null;
  tokens_output: number | null;
  answer: string | null;
  answer_truncated: boolean;
  assertions: { text: string; holds: boolean | null; actual: string | null }[];
}

export const typeWords: Record<MonitorFields["type"], string> = {
  openai: "OpenAI-compatible",
  anthropic: "Anthropic",
  http: "HTTP",
};

/** `api_key`, `headers.x-team` → "API key", "header x-team". */
export function secretWord(name: string): string {
  return name === "api_key" ? "API key" : name.replace(/^headers\./, "header ");
}

const marks: Record<MonitorStatus | "interrupted", [IconName, string, string]> = {
  ok: ["success", "ok", "success"],
  failing: ["failure", "failing", "error"],
  erroring: ["timeout", "no answer", "timeout"],
  paused: ["pause", "paused", "paused"],
  never_ran: ["clock", "not checked yet", "paused"],
  interrupted: ["warning", "not known", "warning"],
};

/** The state as sign and word. */
export function monitorMark(status: MonitorStatus | Outcome): View {
  const [sign, word, look] = marks[status];
  return html`<span class=${`status status-${look}`}>${icon(sign)}${word}</span>`;
}

export function monitorLink(id: string, tail = ""): string {
  return linkTo(`/monitors/${encodeURIComponent(id)}${tail}`);
}

export function everyText(minutes: number): string {
  if (minutes === 1) return "every minute";
  if (minutes % 1440 === 0) return minutes === 1440 ? "every day" : `every ${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? "every hour" : `every ${minutes / 60} hours`;
  return `every ${minutes} minutes`;
}

const barWidth = 6;
const heightPx = 28;
/** Of the height: what is not right stands out by its shape, too. */
const heights: Record<Outcome, number> = { ok: 0.5, failing: 1, erroring: 0.8, interrupted: 0.25 };

/** The newest checks, oldest first; empty places where there were none yet. */
export function CheckStrip(
  { checks, places = 40 }: { checks: Monitor["recent"]; places?: number },
): View {
  const shown = checks.slice(-places);
  const right = shown.filter(({ outcome }) => outcome === "ok").length;
  const label = shown.length === 0
    ? "No check yet"
    : `${right} of the last ${plural(shown.length, "check")} right`;
  const empty = places - shown.length;
  return html`
    <svg class="check-strip" viewBox=${`0 0 ${places * barWidth} ${heightPx}`}
      preserveAspectRatio="none" role="img" aria-label=${label}>
      ${Array.from({ length: empty }, (_, at) =>
        html`
          <rect key=${`e${at}`} class="check-none" x=${at * barWidth} width=${barWidth - 1.5}
            y=${heightPx - 3} height="3" />
        `)}
      ${shown.map(({ id, at, outcome, latency_ms }, index) => {
        const height = heights[outcome] * heightPx;
        return html`
          <rect key=${id} class=${`check-${outcome}`} x=${(empty + index) * barWidth}
            width=${barWidth - 1.5} y=${heightPx - height} height=${height}>
            <title>${`${moment(at)}: ${marks[outcome][1]}${
              latency_ms === null ? "" : `, ${duration(latency_ms)}`
            }`}</title>
          </rect>
        `;
      })}
    </svg>
  `;
}
