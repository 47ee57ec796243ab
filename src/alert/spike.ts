// Is a value beyond its threshold, fixed or learnt? With a baseline, thresholds count deviations
// from the median of earlier days; the deviation is robust, so an incident a week ago does not hide
// the next one, and it is no smaller than what chance alone does to few events.
import { beyond, type Level, type Rule } from "./rule.ts";
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
/** Least deviation, as a share of the usual value, of metrics of which chance says nothing. */
const relativeFloor = 0.05;
/** A usual rate below this one is taken for it: nobody knows that errors are impossible. */
const rateFloor = 0.005;
/** Halvings that find the value at a threshold. */
const halvings = 40;

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
  const usual = (point.baseline ?? []).map(usualOf).filter((one) => one !== null)
    .map((one) => ({ one, score: scoreOf(rule, one, value, point.requests) }))
    .toSorted((a, b) => a.score - b.score)[0]?.one;
  if (usual === undefined) return null;
  const score = (of: number) => scoreOf(rule, usual, of, point.requests);
  const found = score(value);
  const leastChange = rule.baseline!.min_change * Math.abs(usual.median);
  const isLarge = Math.abs(value - usual.median) >= leastChange;
  const { warning, critical } = rule;
  const reaches = (threshold: number | undefined) =>
    isLarge && threshold !== undefined && found >= threshold;
  const level = reaches(critical) ? "critical" : reaches(warning) ? "warning" : null;
  const lowest = warning ?? critical!;
  return {
    value,
    level,
    recovered: found < (rule.recovery ?? lowest) || !isLarge,
    threshold: valueAt(rule, usual, score, level === "critical" ? critical! : lowest, leastChange),
    expected: usual.median,
  };
}

interface Usual {
  median: number;
  /** Of the means of the days: few events an hour have a median of none, which says too little. */
  mean: number;
  /** Robust standard deviation from the median. */
  deviation: number;
  /** The same of the logarithms; null when a value has none. */
  logDeviation: number | null;
}

function usualOf(days: readonly (readonly number[])[]): Usual | null {
  const values = days.flat();
  if (values.length < baselineValuesMin) return null;
  const middle = median(values);
  const means = days.filter((day) => day.length > 0)
    .map((day) => day.reduce((sum, value) => sum + value, 0) / day.length);
  return {
    median: middle,
    mean: median(means),
    deviation: madScale * median(values.map((one) => Math.abs(one - middle))),
    logDeviation: values.every((one) => one > 0)
      ? madScale * median(values.map((one) => Math.abs(Math.log(one / middle))))
      : null,
  };
}

/**
 * How many deviations the value is beyond what is usual, in the rule's direction: those of earlier
 * days, or those that chance alone explains, whichever are fewer.
 */
function scoreOf({ metric, operator }: Rule, usual: Usual, value: number, requests: number | null) {
  const isUp = operator === ">" || operator === ">=";
  const change = isUp ? value - usual.median : usual.median - value;
  if (change <= 0) return 0;
  switch (metric!) {
    case "error_rate": {
      const rate = Math.max(usual.median, usual.mean, rateFloor);
      const chance = isUp === value > rate ? binomialScore(value, rate, requests ?? 1) : 0;
      return Math.min(change / usual.deviation, chance);
    }
    case "requests":
    case "errors":
    case "unpriced": {
      const count = Math.max(usual.median, usual.mean, 1);
      const chance = isUp === value > count ? poissonScore(value, count) : 0;
      return Math.min(change / usual.deviation, chance);
    }
    default: {
      // Waits, tokens and cost vary by factors: twice as much is as far away as half as much.
      if (usual.logDeviation !== null && value > 0) {
        return Math.abs(Math.log(value / usual.median)) /
          Math.max(usual.logDeviation, relativeFloor);
      }
      const least = Math.max(relativeFloor * Math.abs(usual.median), Number.EPSILON);
      return change / Math.max(usual.deviation, least);
    }
  }
}

/** Signed roots of deviances: normal deviates whose tails are right for few events too. */
function binomialScore(rate: number, usual: number, count: number): number {
  const part = (share: number, of: number) => share <= 0 ? 0 : share * Math.log(share / of);
  return Math.sqrt(2 * count * (part(rate, usual) + part(1 - rate, 1 - Math.min(usual, 0.999))));
}

function poissonScore(count: number, usual: number): number {
  const part = count <= 0 ? 0 : count * Math.log(count / usual);
  return Math.sqrt(Math.max(0, 2 * (part - (count - usual))));
}

/** The value at which the score reaches a threshold; as far as a metric goes when none does. */
function valueAt(
  { metric, operator }: Rule,
  usual: Usual,
  score: (value: number) => number,
  threshold: number,
  leastChange: number,
): number {
  const isUp = operator === ">" || operator === ">=";
  const least = usual.median + (isUp ? leastChange : -leastChange);
  let near = usual.median;
  let far = isUp ? Math.max(1, 2 * usual.median) : 0;
  if (isUp && metric !== "error_rate") {
    for (let at = 0; at < halvings && score(far) < threshold; at++) far *= 2;
  }
  if (score(far) >= threshold) {
    for (let at = 0; at < halvings; at++) {
      const middle = (near + far) / 2;
      if (score(middle) >= threshold) far = middle;
      else near = middle;
    }
  }
  return isUp ? Math.max(far, least) : Math.min(far, least);
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
