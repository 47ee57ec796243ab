// Which stretch of time is shown: presets, a stretch of one's own, and the one that fits the data.
export interface TimeRange {
  /** `-1h` or ISO 8601; null is from the beginning. */
  since: string | null;
  /** ISO 8601; null is until now, and live. */
  until: string | null;
}

export const presets = [
  ["-15m", "Last 15 minutes"],
  ["-1h", "Last hour"],
  ["-6h", "Last 6 hours"],
  ["-24h", "Last 24 hours"],
  ["-7d", "Last 7 days"],
  ["-30d", "Last 30 days"],
  ["-90d", "Last 90 days"],
] as const;

/** Stands in the address for "from the beginning", which is not the same as not chosen yet. */
export const allTime = "all";

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds since 1970; null for what is not a time. */
export function instantMs(text: string, now: number): number | null {
  const relative = /^-(\d+)([smhdw])$/.exec(text);
  if (relative !== null) return now - Number(relative[1]) * (unitMs[relative[2] ?? ""] ?? 0);
  if (text === "now") return now;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

export function rangeLabel({ since, until }: TimeRange): string {
  const preset = presets.find(([value]) => value === since);
  if (preset !== undefined && until === null) return preset[1];
  if (since === null && until === null) return "All time";
  return `${since === null ? "…" : brief(since)} – ${until === null ? "now" : brief(until)}`;
}

function brief(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** A preset is used when data fills at least this much of it. */
const filledMin = 0.6;
/** A program that was silent for less than this may go on at any time. */
const liveSilenceMs = 24 * 3_600_000;
/** At first visit no more is asked for than this. */
const firstDaysMax = 30;

/** The range to show at first: it always contains data, and no long stretch without any. */
export function fitRange(oldest: string, newest: string, now: number): TimeRange {
  const first = Date.parse(oldest);
  const last = Date.parse(newest);
  const cover = presets.find(([value]) => (instantMs(value, now) ?? now) <= first);
  if (cover !== undefined) {
    const start = instantMs(cover[0], now) ?? first;
    const filled = (last - first) / (now - start);
    // A program that has just begun to send has little to show, and is best watched live.
    if (filled >= filledMin || cover[0] === "-15m") return { since: cover[0], until: null };
  }
  const recent = now - firstDaysMax * 86_400_000;
  if (last > recent && first < recent) return { since: `-${firstDaysMax}d`, until: null };
  const start = Math.max(first, last - firstDaysMax * 86_400_000);
  const margin = Math.max((last - start) * 0.02, 60_000);
  // An end in the past shows nothing new: it is set only where much emptiness would follow.
  const silence = now - last;
  const until = silence < Math.max(liveSilenceMs, last - start) ? null : iso(last + margin);
  return { since: iso(start - margin), until };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** What a `datetime-local` field holds, in local time. */
export function localInput(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

/** The same length, once before: for "back"; or twice as long around its middle: for "zoom out". */
export function shifted(fromMs: number, toMs: number, how: "back" | "forward" | "out"): TimeRange {
  const length = toMs - fromMs;
  if (how === "out") return { since: iso(fromMs - length / 2), until: iso(toMs + length / 2) };
  const step = how === "back" ? -length : length;
  return { since: iso(fromMs + step), until: iso(toMs + step) };
}
