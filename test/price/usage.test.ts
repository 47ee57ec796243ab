// Token counts as producers send them → buckets that do not overlap.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Buckets, bucketsOf, type TokenCounts, usageNotes } from "../../src/price/usage.ts";
import { checks } from "../check.ts";

const check = checks("buckets", (counts: TokenCounts) => {
  const buckets = bucketsOf(counts);
  if (buckets === null) return null;
  return Object.fromEntries(
    Object.entries(buckets).filter(([, value]) => Array.isArray(value) ? value.length : value),
  );
});

check("nothing counted", {}, null);
check("counted, and nothing there", { tokens_input: 0, tokens_output: 0 }, {});
check("plain", { tokens_input: 100, tokens_output: 20 }, {
  whole_input: 100,
  input: 100,
  output: 20,
});
check(
  "cached input is part of the input",
  { tokens_input: 1000, tokens_cache_read: 600, tokens_cache_write: 300, tokens_output: 0 },
  { whole_input: 1000, input: 100, cache_read: 600, cache_write: 300 },
);
check(
  "writes for an hour are part of the writes",
  {
    tokens_input: 1000,
    tokens_cache_write: 900,
    tokens_cache_write_1h: 400,
    tokens_output: 1,
  },
  { whole_input: 1000, input: 100, cache_write: 500, cache_write_1h: 400, output: 1 },
);
check(
  "cached input beside the input",
  { tokens_input: 3, tokens_cache_read: 1111, tokens_cache_write: 418, tokens_output: 33 },
  {
    whole_input: 1532,
    input: 3,
    cache_read: 1111,
    cache_write: 418,
    output: 33,
    notes: ["cache_added_to_input"],
  },
);
check(
  "writes for an hour beside the writes",
  { tokens_input: 1000, tokens_cache_write: 100, tokens_cache_write_1h: 400, tokens_output: 1 },
  {
    whole_input: 1000,
    input: 500,
    cache_write: 100,
    cache_write_1h: 400,
    output: 1,
    notes: ["cache_write_1h_added_to_cache_write"],
  },
);
check(
  "only writes for an hour",
  { tokens_input: 1000, tokens_cache_write_1h: 400, tokens_output: 1 },
  { whole_input: 1000, input: 600, cache_write_1h: 400, output: 1 },
);
check(
  "reasoning is part of the output",
  { tokens_input: 1, tokens_output: 500, tokens_reasoning: 400 },
  { whole_input: 1, input: 1, output: 100, reasoning: 400 },
);
check(
  "reasoning beside the output",
  { tokens_input: 1, tokens_output: 25, tokens_reasoning: 158 },
  {
    whole_input: 1,
    input: 1,
    output: 25,
    reasoning: 158,
    notes: ["reasoning_added_to_output"],
  },
);
check(
  "audio in and out",
  { tokens_input: 100, tokens_audio_input: 60, tokens_output: 50, tokens_audio_output: 40 },
  { whole_input: 100, input: 40, audio_input: 60, output: 10, audio_output: 40 },
);
check(
  "audio that was cached too",
  { tokens_input: 100, tokens_audio_input: 80, tokens_cache_read: 60, tokens_output: 1 },
  {
    whole_input: 100,
    cache_read: 60,
    audio_input: 40,
    output: 1,
    notes: ["cached_audio_priced_as_cache"],
  },
);
check("only the output is known", { tokens_output: 7 }, {
  output: 7,
  notes: ["tokens_input_unknown"],
});
check("only cached input is known", { tokens_cache_read: 9, tokens_output: 1 }, {
  whole_input: 9,
  cache_read: 9,
  output: 1,
  notes: ["tokens_input_unknown"],
});

test("whatever the counts, no bucket is negative, and those of the input are the whole", () => {
  const count = fc.option(fc.nat(5000), { nil: undefined });
  const counts = fc.record({
    tokens_input: count,
    tokens_output: count,
    tokens_cache_read: count,
    tokens_cache_write: count,
    tokens_cache_write_1h: count,
    tokens_reasoning: count,
    tokens_audio_input: count,
    tokens_audio_output: count,
  });
  fc.assert(
    fc.property(counts, (counts) => {
      const buckets = bucketsOf(counts as TokenCounts);
      if (buckets === null) return;
      const { notes, whole_input, ...rest } = buckets satisfies Buckets;
      expect(Object.values(rest).filter((one) => one < 0)).toEqual([]);
      const { input, cache_read, cache_write, cache_write_1h, audio_input } = rest;
      expect(input + cache_read + cache_write + cache_write_1h + audio_input).toBe(whole_input);
      expect(whole_input).toBeGreaterThanOrEqual(counts.tokens_input ?? 0);
      expect(notes.filter((note) => !usageNotes.includes(note))).toEqual([]);
    }),
    { seed: 20260131 },
  );
});
