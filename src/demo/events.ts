// The demo: two days of a company that runs four AI features, with an incident an hour ago. The same
// seed tells the same story with the same event ids; it ends at the present moment.
import { Random } from "../std/random.ts";
import { analyst } from "./analyst.ts";
import { retrieval } from "./retrieval.ts";
import { review } from "./review.ts";
import { type DemoEvent, Run, type Weather, type WeatherAt } from "./run.ts";
import { support } from "./support.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const spanMs = 48 * hourMs;
const runsTotal = 400;

/** Minutes before the present moment. */
const incident = { from: 80, until: 42, provider: "anthropic" };

interface Feature {
  tell(run: Run): void;
  tag: string;
  sdk: string;
  hosts: readonly string[];
}

const features: readonly (readonly [weight: number, feature: Feature])[] = [
  [45, {
    tell: support,
    tag: "support",
    sdk: "aisentry-js",
    hosts: ["chat-1", "chat-2", "chat-3"],
  }],
  [25, {
    tell: retrieval,
    tag: "handbook",
    sdk: "aisentry-python",
    hosts: ["search-1", "search-2"],
  }],
  [15, { tell: analyst, tag: "analyst", sdk: "aisentry-python", hosts: ["jobs-1"] }],
  [15, { tell: review, tag: "review", sdk: "aisentry-js", hosts: ["ci-4", "ci-7"] }],
];

/**
 * All events of the demo, oldest run first. None is later than `nowMs`. At another time the same
 * seed gives the same events, moved in time: nothing may depend on the hour or the day.
 */
export function demoEvents(seed: number, nowMs: number): DemoEvent[] {
  const random = new Random(seed);
  const weatherAt = weatherAround(nowMs);
  const ages = Array.from({ length: runsTotal }, () => ageOf(random)).sort((a, b) => b - a);
  const events = ages.flatMap((ageMs, at) =>
    tell(random, weatherAt, `demo-${seed}-${at}`, nowMs - ageMs, nowMs)
  );
  return [...events, ...alerts(`demo-${seed}`, nowMs)];
}

/** More by day than by night, and much of it recent: a page that is opened now shows something. */
function ageOf(random: Random): number {
  for (;;) {
    const ageMs = Math.round(random.next() * (random.chance(0.2) ? 3 * hourMs : spanMs));
    // As if it were late in the afternoon.
    const hour = (17 + 48 - ageMs / hourMs) % 24;
    const busy = hour >= 7 && hour < 19 ? 1 : hour >= 5 && hour < 22 ? 0.5 : 0.2;
    if (random.chance(busy)) return ageMs;
  }
}

function weatherAround(nowMs: number): WeatherAt {
  const fine: Weather = { slowdown: 1, failures: 0.012 };
  const storm: Weather = { slowdown: 3.5, failures: 0.7 };
  return (provider, ms) => {
    const minutesAgo = (nowMs - ms) / minuteMs;
    const hit = minutesAgo <= incident.from && minutesAgo >= incident.until;
    return hit && provider === incident.provider ? storm : fine;
  };
}

function tell(
  random: Random,
  weatherAt: WeatherAt,
  run_id: string,
  startMs: number,
  nowMs: number,
): DemoEvent[] {
  const feature = random.weighted(features);
  const user = random.integer(1, 40);
  const production = random.chance(0.86);
  const run = new Run(random, weatherAt, {
    run_id,
    user_id: `user-${1000 + user * 7}`,
    session_id: `session-${user}-${Math.floor((nowMs - startMs) / (6 * hourMs))}`,
    release: releaseAt(nowMs - startMs, production),
    env: production ? "production" : "staging",
    tags: random.chance(0.3)
      ? [feature.tag, random.pick(["beta", "vip", "mobile"])]
      : [feature.tag],
    client: {
      hostname: random.pick(feature.hosts),
      sdk_version: `${feature.sdk}/0.1.0`,
      platform: feature.sdk === "aisentry-js" ? "node 22" : "python 3.12",
    },
  }, startMs);
  feature.tell(run);
  // A run that has not ended yet would be a tree without its root.
  return run.at <= nowMs ? run.events : [];
}

/** Staging is one release ahead; the last one came out when the incident was over. */
function releaseAt(ageMs: number, production: boolean): string {
  const hours = ageMs / hourMs + (production ? 0 : -6);
  return hours > 30 ? "2.3.4" : hours > 0.6 ? "2.4.0" : "2.4.1";
}

/** What a watcher would have said about the incident. */
function alerts(prefix: string, nowMs: number): DemoEvent[] {
  const at = (minutesAgo: number) => new Date(nowMs - minutesAgo * minuteMs).toISOString();
  const common = { env: "production", tags: ["incident"], status: "warning" as const };
  return [
    {
      ...common,
      event_id: `${prefix}-alert-1`,
      run_id: `${prefix}-alert-1`,
      event_type: "performance_alert",
      name: "error rate of claude-sonnet-4-5",
      timestamp: at(70),
      alert_type: "error_rate_spike",
      threshold: 0.05,
      actual_value: 0.57,
      window_minutes: 5,
      affected_models: ["claude-sonnet-4-5"],
    },
    {
      ...common,
      event_id: `${prefix}-alert-2`,
      run_id: `${prefix}-alert-2`,
      event_type: "performance_alert",
      name: "latency of claude-sonnet-4-5",
      timestamp: at(68),
      alert_type: "latency_spike",
      threshold: 8000,
      actual_value: 21_400,
      window_minutes: 5,
      affected_models: ["claude-sonnet-4-5"],
    },
    {
      ...common,
      event_id: `${prefix}-alert-3`,
      run_id: `${prefix}-alert-3`,
      event_type: "cost_threshold_exceeded",
      name: "daily cost of code review",
      timestamp: at(200),
      alert_type: "cost_spike",
      threshold: 0.5,
      actual_value: 0.61,
      window_minutes: 1440,
      affected_models: ["gpt-5"],
    },
  ];
}
