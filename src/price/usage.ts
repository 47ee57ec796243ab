// Token counts as producers send them → buckets that do not overlap, so that each token is priced once.
import type { Event } from "../event.ts";

/** Which rule mended the counts, or what is missing in them. */
export const usageNotes = [
  "cache_added_to_input",
  "cache_write_1h_added_to_cache_write",
  "audio_added_to_input",
  "cached_audio_priced_as_cache",
  "reasoning_added_to_output",
  "audio_added_to_output",
  "output_parts_exceed_output",
  "tokens_input_unknown",
  "tokens_output_unknown",
] as const;
export type UsageNote = (typeof usageNotes)[number];

export type TokenCounts = Pick<
  Event,
  | "tokens_input"
  | "tokens_output"
  | "tokens_cache_read"
  | "tokens_cache_write"
  | "tokens_cache_write_1h"
  | "tokens_reasoning"
  | "tokens_audio_input"
  | "tokens_audio_output"
>;

/** Disjoint. `whole_input` decides the context tier. */
export interface Buckets {
  whole_input: number;
  input: number;
  cache_read: number;
  /** For five minutes, or as long as the provider keeps it. */
  cache_write: number;
  cache_write_1h: number;
  audio_input: number;
  output: number;
  reasoning: number;
  audio_output: number;
  notes: UsageNote[];
}

/** Null when nothing was counted. */
export function bucketsOf(counts: TokenCounts): Buckets | null {
  const read = counts.tokens_cache_read ?? 0;
  const hour = counts.tokens_cache_write_1h ?? 0;
  const reasoning = counts.tokens_reasoning ?? 0;
  const audioOut = counts.tokens_audio_output ?? 0;
  let audioIn = counts.tokens_audio_input ?? 0;
  let write = counts.tokens_cache_write ?? 0;
  const { tokens_input = null, tokens_output = null } = counts;
  let input = tokens_input ?? 0;
  let output = tokens_output ?? 0;
  if (
    tokens_input === null && tokens_output === null &&
    read + hour + reasoning + audioOut + audioIn + write === 0
  ) return null;

  const notes: UsageNote[] = [];
  if (tokens_input === null) notes.push("tokens_input_unknown");
  if (tokens_output === null) notes.push("tokens_output_unknown");
  if (hour > write) {
    write += hour;
    if (write > hour) notes.push("cache_write_1h_added_to_cache_write");
  }
  // Parts larger than the whole were counted beside it.
  if (read + write > input) {
    input += read + write;
    if (tokens_input !== null) notes.push("cache_added_to_input");
  }
  if (audioIn > input) {
    input += audioIn;
    if (tokens_input !== null) notes.push("audio_added_to_input");
  }
  if (reasoning > output) {
    output += reasoning;
    if (tokens_output !== null) notes.push("reasoning_added_to_output");
  }
  if (audioOut > output) {
    output += audioOut;
    if (tokens_output !== null) notes.push("audio_added_to_output");
  }
  const whole_input = input;
  const uncached = input - read - write;
  if (audioIn > uncached) {
    audioIn = uncached;
    notes.push("cached_audio_priced_as_cache");
  }
  if (reasoning + audioOut > output) notes.push("output_parts_exceed_output");
  return {
    whole_input,
    input: uncached - audioIn,
    cache_read: read,
    cache_write: write - hour,
    cache_write_1h: hour,
    audio_input: audioIn,
    output: Math.max(0, output - reasoning - audioOut),
    reasoning,
    audio_output: audioOut,
    notes,
  };
}
