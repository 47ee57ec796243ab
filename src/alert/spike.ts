// Is a value beyond its threshold, fixed or learnt? With a baseline, thresholds count deviations
// from the median of earlier days; the deviation is robust, so an incident a week ago does not hide
// the next one.
import { type AlertMetric, beyond, type Level, type Rule } from "./rule.ts";
import type { Point } from "./decide.ts";

export interface Judged {
  value: number | null;
  /** Null when it is within its thresholds. */
  level: Level | null;
  /** Well enough for what fires to end. */
  recovered: boolean;
  /** The threshold of the level; of the lowest when there is none. */
  threshold: number | null;
  /** Median of the earlier days. */
  expected: number | null;
}

/** Fewer earlier values than these say nothing. */
const baselineValuesMin = 3;
/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const madScale = 1.4826;
/** Least deviation, as a share of the usual value. */
const relativeFloor = 0.05;
/** A usual rate of 0 is taken for this one: nobody knows that errors are impossible. */
const rateFloor = 0.005;

/** Null when the value, or what is usual, is not known. */
export function judge(rule: Rule, point: Point): Judged | null {
  const { value } = point;
  if (value === null || Number.isNaN(value)) return null;
  if (rule.baseline !== undefined) return judgeSpike(rule, point, value);
  const { warning, critical, operator } = rule;
  if (warning === undefined && critical === undefined) {
    return { value, level: "critical", recovered: false, threshold: null, expected: null };
  }
  const level = levelOf(rule, value);
  const lowest = warning ?? critical!;
  return {
    value,
    level,
    recovered: !beyond(value, operator, rule.recovery ?? lowest),
    threshold: level === "critical" ? critical! : lowest,
    expected: null,
  };
}

function levelOf({ warning, critical, operator }: Rule, value: number): Level | null {
  if (critical !== undefined && beyond(value, operator, critical)) return "critical";
  return warning !== undefined && beyond(value, operator, warning) ? "warning" : null;
}

function judgeSpike(rule: Rule, point: Point, value: number): Judged | null {
  const baseline = point.baseline ?? [];
  if (baseline.length < baselineValuesMin) return null;
  const expected = median(baseline);
  const deviation = Math.max(
    madScale * median(baseline.map((one) => Math.abs(one - expected))),
    noiseOf(rule.metric!, expected, point.requests),
  );
  const isUp = rule.operator === ">" || rule.operator === ">=";
  const score = (isUp ? value - expected : expected - value) / deviation;
  const isLarge = Math.abs(value - expected) >= rule.baseline!.min_change * Math.abs(expected);
  const { warning, critical } = rule;
  const reaches = (threshold: number | undefined) => threshold !== undefined && score >= threshold;
  const level = !isLarge
    ? null
    : reaches(critical)
    ? "critical"
    : reaches(warning)
    ? "warning"
    : null;
  const lowest = warning ?? critical!;
  const at = level === "critical" ? critical! : lowest;
  return {
    value,
    level,
    recovered: score < (rule.recovery ?? lowest) || !isLarge,
    threshold: expected + (isUp ? at : -at) * deviation,
    expected,
  };
}

/** How much the metric varies by chance alone, however calm the earlier days were. */
function noiseOf(metric: AlertMetric, expected: number, requests: number | null): number {
  switch (metric) {
    case "error_rate": {
      const rate = Math.max(expected, rateFloor);
      return Math.sqrt(rate * (1 - Math.min(rate, 0.5)) / Math.max(1, requests ?? 1));
    }
    case "requests":
    case "errors":
    case "unpriced":
      return Math.sqrt(Math.max(1, expected));
    default:
      return Math.max(relativeFloor * Math.abs(expected), Number.EPSILON);
  }
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
