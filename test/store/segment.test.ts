import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeCommit, scanSegment, segmentName, sequenceOf } from "../../src/store/segment.ts";

const commit = (...ids: string[]) =>
  encodeCommit(ids.map((id) => `{"event_id":"${id}"}\n`).join(""), ids.length);
const file = (...commits: Uint8Array[]) => new Uint8Array(Buffer.concat(commits));

test("segment: what is written whole is found whole", () => {
  const bytes = file(commit("a", "b"), commit("c"));
  expect(scanSegment(bytes)).toMatchObject({ events: 3, damaged: [], torn: null });
});

test("segment: an empty file has nothing", () => {
  expect(scanSegment(new Uint8Array())).toEqual({
    good: [],
    events: 0,
    points: 0,
    damaged: [],
    torn: null,
  });
});

test("segment: cut at every byte, it keeps each whole commit and nothing else", () => {
  const first = commit("a", "b");
  const second = commit("c", "ü", "\\u0000");
  const whole = file(first, second);
  for (let bytes = 0; bytes <= whole.length; bytes++) {
    const scan = scanSegment(whole.subarray(0, bytes));
    expect(scan.damaged).toEqual([]);
    expect(scan.events).toBe(bytes < first.length ? 0 : bytes < whole.length ? 2 : 5);
    const kept = scan.good.reduce((sum, span) => sum + span.end - span.start, 0);
    expect(kept + (scan.torn === null ? 0 : scan.torn.end - scan.torn.start)).toBe(bytes);
  }
});

test("segment: with any bit flipped, at most one more commit than the flipped one is lost", () => {
  const commits = [commit("a"), commit("b", "c"), commit("d"), commit("e")];
  const whole = file(...commits);
  let start = 0;
  for (const hit of commits) {
    for (let at = start; at < start + hit.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = whole.slice();
        bytes[at] = bytes[at]! ^ (1 << bit);
        const scan = scanSegment(bytes);
        // Never a wrong event: what is kept is byte for byte what was written.
        const others = commits.filter((other) => other !== hit).map((other) => Buffer.from(other));
        for (const span of scan.good) {
          const kept = Buffer.from(bytes.subarray(span.start, span.end));
          expect(others.some((other) => other.equals(kept))).toBe(true);
        }
        expect(scan.good.length).toBe(3);
        expect(scan.damaged.length + (scan.torn === null ? 0 : 1)).toBeGreaterThan(0);
      }
    }
    start += hit.length;
  }
});

test("segment: text of an event that looks like a trailer is text", () => {
  const sly = '{"commit":{"bytes":3,"events":1,"crc32":"00000000"}}';
  const bytes = encodeCommit(JSON.stringify({ event_id: "a", input: `\n${sly}\n` }) + "\n", 1);
  expect(scanSegment(bytes)).toMatchObject({ events: 1, damaged: [], torn: null });
});

test("segment: random bytes never throw and never give events", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
    expect(scanSegment(bytes).events).toBe(0);
  }));
});

test("segment: names sort as their numbers", () => {
  expect(segmentName(7)).toBe("0000000000000007.ndjson");
  expect(sequenceOf(segmentName(123))).toBe(123);
  expect(sequenceOf("7.ndjson")).toBeNull();
});
