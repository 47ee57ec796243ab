// Ids are valid, in order and never the same; a sample is the same everywhere.
import { expect, test } from "bun:test";
import { isSampled, newEventId, newRunId, newSpanId } from "../src/id.ts";

test("an event's id is a UUIDv7 with its time", () => {
  const nowMs = Date.parse("2026-01-31T12:00:00.123Z");
  const id = newEventId(nowMs);
  expect(id).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(nowMs);
});

test("ids are different, and sort as they were made", () => {
  const ids = Array.from(
    { length: 20_000 },
    (_, i) => newEventId(1_700_000_000_000 + (i >> 9)),
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

test("runs and spans have ids that a trace can have", () => {
  expect(newRunId(Date.now())).toMatch(/^[0-9a-f]{32}$/);
  expect(newSpanId()).toMatch(/^[0-9a-f]{16}$/);
});

// The Python SDK's tests have the same: zlib.crc32("run-1".encode()) / 2**32
const parts: [run_id: string, part: number][] = [
  ["123456789", 0xcbf43926 / 2 ** 32],
  ["", 0],
  ["a", 0.9090538],
  ["run-1", 0.1657214],
  ["日本", Bun.hash.crc32("日本") / 2 ** 32],
  ["Lauf-ä-😀", Bun.hash.crc32("Lauf-ä-😀") / 2 ** 32],
];
test.each(parts)("the place of %j among samples", (run_id, part) => {
  expect(isSampled(run_id, part - 1e-6)).toBe(false);
  expect(isSampled(run_id, part + 1e-6)).toBe(true);
});

const series: [what: string, id: (i: number) => string][] = [
  ["ids of ours", () => newRunId(Date.now())],
  ["numbers", (i) => `run-${i}`],
];
test.each(series)("a tenth of %s is a tenth", (_what, id) => {
  let count = 0;
  for (let i = 0; i < 20_000; i++) if (isSampled(id(i), 0.1)) count++;
  expect(count).toBeGreaterThan(1700);
  expect(count).toBeLessThan(2300);
});
