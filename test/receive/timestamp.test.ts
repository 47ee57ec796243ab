import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseTimestamp, timestampOf } from "../../src/receive/timestamp.ts";
import { checks } from "../check.ts";

const check = checks("timestamp", (input: string) => parseTimestamp(input)?.text ?? null);

check("milliseconds", "2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123000Z");
check("microseconds stay", "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123456Z");
check("nanoseconds are cut", "2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z");
check("no fraction", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z");
check("no seconds", "2026-01-31T12:00Z", "2026-01-31T12:00:00.000000Z");
check("no zone is UTC", "2026-01-31T12:00:00", "2026-01-31T12:00:00.000000Z");
check("a zone east", "2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.500000Z");
check("a zone west, without colon", "2026-01-31T12:00:00-0530", "2026-01-31T17:30:00.000000Z");
check("a zone of hours", "2026-01-31T12:00:00+01", "2026-01-31T11:00:00.000000Z");
check("a blank instead of T", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00.000000Z");
check("a leap day", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z");
check("a day that does not exist", "2026-02-30T00:00:00Z", null);
check("an hour that does not exist", "2026-01-31T25:00:00Z", null);
check("a month that does not exist", "2026-13-01T00:00:00Z", null);
check("a date alone", "2026-01-31", null);
check("seconds since 1970", "1769860800", null);
check("words", "yesterday", null);
check("nothing", "", null);

checks("timestampOf", timestampOf)("the clock", 1769860800123, "2026-01-31T12:00:00.123000Z");

test("every time that JavaScript writes, and what is no such time", () => {
  const ms = fc.integer({ min: Date.UTC(1600), max: Date.UTC(9999) });
  const digits = fc.stringMatching(/^[0-9]{3}$/);
  fc.assert(fc.property(ms, digits, (ms, micros) => {
    const text = new Date(ms).toISOString().slice(0, 23);
    expect(parseTimestamp(`${text}Z`)).toEqual({ ms, text: `${text}000Z` });
    expect(parseTimestamp(`${text}${micros}Z`)).toEqual({ ms, text: `${text}${micros}Z` });
  }));
  const place = fc.integer({ min: 0, max: 23 });
  fc.assert(fc.property(ms, place, fc.constantFrom(..."0123456789-:.TZx"), (ms, at, sign) => {
    const text = new Date(ms).toISOString();
    const changed = text.slice(0, at) + sign + text.slice(at + 1);
    const parsed = Date.parse(changed);
    const isWritten = !Number.isNaN(parsed) && new Date(parsed).toISOString() === changed;
    const time = parseTimestamp(changed);
    // Other forms are read too; a form of these lengths is a time exactly when it is written so.
    if (isWritten) expect(time?.ms).toBe(parsed);
    else if (time !== null) {
      expect(changed).not.toMatch(/^\d{4}-\d\d-\d\dT[01]\d:\d\d:\d\d\.\d{3}Z$/);
    }
  }));
});
