// Values of DuckDB → JSON and CSV. JSON keeps every digit: what a double cannot hold is text.
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Api = typeof import("@duckdb/node-api");

/** Significant digits that every double keeps. */
const exactDigits = 15;

/**
 * Integers beyond 2^53 and decimals of more than 15 digits are strings; TIMESTAMPTZ is ISO 8601 with
 * microseconds and "Z", TIMESTAMP the same without it; BLOB is base64; NaN and infinities are strings;
 * a map's keys are strings; dates, times, intervals and UUIDs are DuckDB's text.
 */
export function createPlain(api: Api): (value: DuckDBValue) => Json {
  function plain(value: DuckDBValue): Json {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "bigint":
        return integer(value);
    }
    if (value === null) return null;
    if (value instanceof api.DuckDBTimestampTZValue) return time(value, value.micros, 6, "Z");
    if (value instanceof api.DuckDBTimestampValue) return time(value, value.micros, 6, "");
    if (value instanceof api.DuckDBTimestampNanosecondsValue) {
      return time(value, value.nanos, 9, "");
    }
    if (value instanceof api.DuckDBTimestampMillisecondsValue) {
      return time(value, value.millis, 3, "");
    }
    if (value instanceof api.DuckDBTimestampSecondsValue) return time(value, value.seconds, 0, "");
    if (value instanceof api.DuckDBDecimalValue) return decimal(String(value));
    if (value instanceof api.DuckDBListValue || value instanceof api.DuckDBArrayValue) {
      return value.items.map(plain);
    }
    if (value instanceof api.DuckDBStructValue) {
      return object(Object.entries(value.entries).map(([key, item]) => [key, plain(item)]));
    }
    if (value instanceof api.DuckDBMapValue) {
      return object(value.entries.map(({ key, value: item }) => [text(plain(key)), plain(item)]));
    }
    if (value instanceof api.DuckDBUnionValue || value instanceof api.DuckDBVariantValue) {
      return plain(value.value);
    }
    if (value instanceof api.DuckDBBlobValue || value instanceof api.DuckDBGeometryValue) {
      return Buffer.from(value.bytes).toString("base64");
    }
    return String(value);
  }
  return plain;
}

function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function decimal(digits: string): number | string {
  const significant = digits.replace(/^-?0*\.?0*|\./g, "").length;
  return significant <= exactDigits ? Number(digits) : digits;
}

function object(entries: [string, Json][]): Json {
  return Object.fromEntries(entries);
}

const latestMs = 253_402_300_799_999n; // The end of the year 9999.
const earliestMs = -62_135_596_800_000n; // The start of the year 1.

/** `count` units of 10^-digits seconds since 1970. Infinity and other eras are DuckDB's own text. */
function time(value: DuckDBValue, count: bigint, digits: number, zone: string): string {
  const perSecond = 10n ** BigInt(digits);
  const fraction = ((count % perSecond) + perSecond) % perSecond;
  const seconds = (count - fraction) / perSecond;
  const ms = seconds * 1000n;
  if (ms > latestMs || ms < earliestMs) return String(value);
  const shown = digits === 9 ? fraction : fraction * 10n ** BigInt(6 - digits);
  const places = digits === 9 ? 9 : 6;
  const date = new Date(Number(ms)).toISOString().slice(0, 19);
  return `${date}.${String(shown).padStart(places, "0")}${zone}`;
}

/** FLOAT has 24 bits; as a double 0.1 would read 0.10000000149011612. */
export function shortestFloat(value: DuckDBValue): DuckDBValue {
  if (typeof value !== "number") return value;
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}

export function typeName(type: DuckDBType): string {
  return type.alias ?? type.toString();
}

/** A struct without names: its JavaScript form would lose all parts but one. */
export function isNameless(type: DuckDBType): boolean {
  return type.toString().includes('STRUCT("" ');
}

function text(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * One record of RFC 4180. NULL is an empty field, an empty string `""`. A text that starts with "="
 * is left as it is: data that is changed on its way out is wrong everywhere but in a spreadsheet.
 */
export function csvRecord(values: readonly Json[]): string {
  return values.map((value) => value === null ? "" : csvField(text(value))).join(",") + "\r\n";
}

function csvField(field: string): string {
  return field === "" || /[",\r\n]|^\s|\s$/.test(field)
    ? `"${field.replaceAll('"', '""')}"`
    : field;
}
