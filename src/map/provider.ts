// Who serves a model, when nobody says: only of names that are their maker's alone. Open models run
// anywhere, so theirs stay unknown.

const makers: readonly (readonly [pattern: RegExp, provider: string])[] = [
  [/^(gpt-(?!oss)|chatgpt-|o[134](-|$)|text-embedding-(3|ada)-)/, "openai"],
  [/^claude-/, "anthropic"],
  [/^gemini-/, "gcp.gen_ai"],
];

/** In the words of OpenTelemetry. */
export function makerOf(model: string): string | undefined {
  return makers.find(([pattern]) => pattern.test(model))?.[1];
}
