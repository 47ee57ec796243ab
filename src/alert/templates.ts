// Rules to begin with: the common ones, to be named, narrowed and given channels.
import { type Rule, ruleSchema } from "./rule.ts";

export interface Template {
  id: string;
  name: string;
  description: string;
  rule: Rule;
}

function template(id: string, description: string, rule: Record<string, unknown>): Template {
  const parsed = ruleSchema.parse(rule);
  return { id, name: parsed.name, description, rule: parsed };
}

export const templates: readonly Template[] = [
  template("error_rate", "More than 5 % of the events of five minutes failed.", {
    name: "Error rate",
    metric: "error_rate",
    window_minutes: 5,
    warning: 0.05,
    critical: 0.2,
    recovery: 0.03,
    min_requests: 20,
  }),
  template("error_rate_spike", "Failures beyond what is usual at this hour of the day.", {
    name: "Error rate spike",
    metric: "error_rate",
    window_minutes: 10,
    baseline: { days: 14, min_change: 0.5 },
    warning: 4,
    critical: 8,
    recovery: 2,
    min_requests: 20,
  }),
  template("cost_threshold", "More than so many dollars in an hour.", {
    name: "Cost of an hour",
    metric: "cost_usd",
    window_minutes: 60,
    warning: 5,
    critical: 20,
  }),
  template("cost_spike", "Cost beyond what is usual at this hour of the day.", {
    name: "Cost spike",
    metric: "cost_usd",
    window_minutes: 60,
    baseline: { days: 14, min_change: 0.5 },
    warning: 4,
    critical: 8,
  }),
  template("user_budget", "One user has spent more than so many dollars in the last 24 hours.", {
    name: "Spend of a user",
    metric: "cost_usd",
    group_by: "user_id",
    window_minutes: 24 * 60,
    warning: 5,
    critical: 10,
  }),
  template("latency", "One call in twenty takes longer than 10 seconds.", {
    name: "Latency",
    metric: "latency_p95_ms",
    filter: { event_type: "prompt_call" },
    window_minutes: 10,
    warning: 10_000,
    critical: 30_000,
    for_minutes: 5,
    min_requests: 20,
  }),
  template("latency_spike", "Slower than is usual at this hour of the day.", {
    name: "Latency spike",
    metric: "latency_p95_ms",
    filter: { event_type: "prompt_call" },
    window_minutes: 10,
    baseline: { days: 14, min_change: 0.5 },
    warning: 4,
    critical: 8,
    recovery: 2,
    min_requests: 20,
  }),
  template("token_limit", "A single call used more than 100,000 tokens.", {
    name: "Token limit",
    metric: "tokens_call_max",
    window_minutes: 5,
    critical: 100_000,
  }),
  template("no_traffic", "Not one event in fifteen minutes.", {
    name: "No traffic",
    metric: "requests",
    window_minutes: 15,
    operator: "<",
    critical: 1,
  }),
  template("traffic_drop", "Less than half of what is usual at this hour of the day.", {
    name: "Traffic drop",
    metric: "requests",
    window_minutes: 15,
    operator: "<",
    baseline: { days: 14, min_change: 0.5 },
    warning: 4,
    critical: 8,
    recovery: 2,
  }),
  template("tool_errors", "A tool fails more than one time in five.", {
    name: "Failing tool",
    metric: "error_rate",
    filter: { event_type: "tool_call" },
    group_by: "tool_name",
    window_minutes: 15,
    critical: 0.2,
    min_requests: 5,
  }),
  template("endless_runs", "Rows of a query of your own: runs of more than 50 steps in an hour.", {
    name: "Endless runs",
    sql: "SELECT run_id, count(*) AS value FROM events " +
      "WHERE timestamp >= $since AND timestamp < $until GROUP BY run_id HAVING count(*) > 50",
    window_minutes: 60,
    critical: 50,
  }),
];
