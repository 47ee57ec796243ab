// Numbers, durations, costs and times as words. Unknown is a word of its own, never zero.
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const unknown = "unknown";
/** Stands where a value does not apply, as the cost of a tool call. */
export const nothing = "–";

/** Every digit: for summaries and details. */
export function exact(value: number | null | undefined): string {
  return value == null ? unknown : whole.format(value);
}

/** At most five characters or so: for rows and axes. */
export function short(value: number | null | undefined): string {
  if (value == null) return nothing;
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

export function duration(ms: number | null | undefined): string {
  if (ms == null) return nothing;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toPrecision(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  return `${(minutes / 1440).toFixed(1)} d`;
}

/** US dollars with the digits that matter: small costs are what one call has. */
export function dollars(usd: number | null | undefined): string {
  if (usd == null) return unknown;
  if (usd === 0) return "$0";
  if (usd < 0.000001) return "<$0.000001";
  if (usd < 0.01) return `$${trimmed(usd.toFixed(6), 4)}`;
  if (usd < 1) return `$${usd.toFixed(4)}`;
  if (usd < 10_000) {
    return `$${
      usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })
    }`;
  }
  return `$${compact.format(usd)}`;
}

/** Without zeros at the end, but with at least so many decimals. */
function trimmed(text: string, decimalsMin: number): string {
  const [before = "", after = ""] = text.split(".");
  const kept = after.replace(/0+$/, "").padEnd(decimalsMin, "0");
  return `${before}.${kept}`;
}

export function percent(ratio: number | null | undefined): string {
  if (ratio == null) return unknown;
  if (ratio === 0) return "0%";
  const value = ratio * 100;
  return value < 0.1 ? "<0.1%" : `${value < 10 ? value.toFixed(1) : Math.round(value)}%`;
}

/** "12 s ago". Of what is to come, as clocks differ, it says "now". */
export function ago(iso: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return unknown;
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 60 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return iso.slice(0, 10);
}

/** Local time with its zone, to the millisecond. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const zone = -date.getTimezoneOffset();
  const sign = zone < 0 ? "-" : "+";
  const offset = zone === 0
    ? "UTC"
    : `UTC${sign}${pad(Math.floor(Math.abs(zone) / 60))}:${pad(Math.abs(zone) % 60)}`;
  return `${day(date)} ${clock(date)}.${String(date.getMilliseconds()).padStart(3, "0")} ${offset}`;
}

export function day(date: Date): string {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export function clock(date: Date): string {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = count / 1024;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${exact(count)} ${count === 1 ? one : many}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** Any value as text: what is no text becomes JSON. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
}
