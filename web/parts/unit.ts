// Values of metrics in their units, which OpenTelemetry writes as UCUM: `s`, `By`, `{token}`. Pure.
import { bytes, dollars, duration, nothing, short } from "./format.ts";

export interface UnitFormat {
  /** Value with its unit. */
  full(value: number | null): string;
  /** Of a round number beside an axis. */
  tick(value: number): string;
}

const few = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Milliseconds in a unit of time. */
const timeUnits: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["min", 60_000],
  ["h", 3_600_000],
]);
const byteUnits: ReadonlyMap<string, number> = new Map([
  ["By", 1],
  ["KiBy", 1024],
  ["MiBy", 1024 ** 2],
  ["GiBy", 1024 ** 3],
]);

export function formatOf(unit: string | null): UnitFormat {
  const given = unit ?? "";
  const ms = timeUnits.get(given);
  const size = byteUnits.get(given);
  if (ms !== undefined) {
    const full = of((value) => signed(value * ms, duration)).full;
    return { full, tick: (value) => signed(value * ms, durationTick) };
  }
  if (size !== undefined) return of((value) => signed(value * size, bytes));
  if (given === "USD") return of((value) => signed(value, dollars));
  if (given === "%") return { ...of((value) => `${number(value)}%`), tick: (value) => `${value}%` };
  // Braces are remarks: what is counted.
  const word = given === "1" ? "" : given.replace(/^\{(.*)\}$/, "$1");
  return {
    full: (value) =>
      value === null ? nothing : word === "" ? number(value) : `${number(value)} ${word}`,
    tick: (value) => compact.format(value),
  };
}

/** Round numbers need no decimals. */
export function durationTick(ms: number): string {
  if (ms < 1000) return `${number(ms)} ms`;
  return ms < 600_000 ? `${number(ms / 1000)} s` : duration(ms);
}

/** Between two whole numbers there is nothing to count. */
export function countTick(count: number): string {
  return Number.isInteger(count) ? short(count) : "";
}

function of(format: (value: number) => string): UnitFormat {
  return { full: (value) => value === null ? nothing : format(value), tick: format };
}

/** Formats of what is never negative elsewhere. */
function signed(value: number, format: (value: number) => string): string {
  return value < 0 ? `−${format(-value)}` : format(value);
}

function number(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 10_000
    ? whole.format(value)
    : few.format(value);
}
