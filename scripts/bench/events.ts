// Events to measure with: deterministic, of a chosen size, with text that compresses like text.

const words =
  ("the model answers a question about an order that was late and the agent looks up its state " +
    "then asks a tool for the refund policy before it writes a short polite reply with the steps to " +
    "follow while another run reviews code finds a missing check and proposes a patch with a test")
    .split(" ");
const models = ["gpt-5", "gpt-5-mini", "claude-sonnet-5", "gemini-3-pro", "llama-4-70b"];

/** A small fast generator: the same seed gives the same events on every machine. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function text(next: () => number, characters: number): string {
  let made = "";
  while (made.length < characters) {
    // Rare tokens, as ids and names are in real text.
    made += next() < 0.05
      ? `${Math.floor(next() * 1e9).toString(36)} `
      : `${words[Math.floor(next() * words.length)]} `;
  }
  return made;
}

/** `count` events of about `bytes` each; runs of eight, ending `untilMs`, a second apart. */
export function makeEvents(
  seed: number,
  first: number,
  count: number,
  bytes: number,
  untilMs: number,
): Record<string, unknown>[] {
  const next = random(seed * 1_000_003 + first);
  const textBytes = Math.max(50, bytes - 480);
  return Array.from({ length: count }, (_, at) => {
    const number = first + at;
    const model = models[Math.floor(next() * models.length)];
    const failed = next() < 0.03;
    return {
      event_id: `bench-${seed}-${number}`,
      event_type: "prompt_call",
      run_id: `run-${seed}-${number >> 3}`,
      span_id: `span-${number}`,
      timestamp: new Date(untilMs - number * 1000).toISOString(),
      status: failed ? "error" : "success",
      ...(failed ? { error: { type: "RateLimitError", message: "Too many requests" } } : {}),
      user_id: `user-${Math.floor(next() * 500)}`,
      session_id: `session-${number >> 5}`,
      env: next() < 0.8 ? "production" : "staging",
      release: `1.${Math.floor(number / 5000)}`,
      model,
      provider: "bench",
      prompt: text(next, textBytes * 0.6),
      response: text(next, textBytes * 0.4),
      tokens_input: Math.floor(next() * 2000),
      tokens_output: Math.floor(next() * 500),
      latency_ms: Math.round(200 / (0.02 + next())),
      cost_reported_usd: Math.round(next() * 1e4) / 1e6,
      tags: ["bench"],
    };
  });
}
