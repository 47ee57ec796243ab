// Who answers at an address. Pure.

const providers: readonly (readonly [ending: string, provider: string])[] = [
  ["openai.azure.com", "azure"],
  ["cognitiveservices.azure.com", "azure"],
  ["services.ai.azure.com", "azure"],
  ["openai.com", "openai"],
  ["anthropic.com", "anthropic"],
  ["openrouter.ai", "openrouter"],
  ["groq.com", "groq"],
  ["deepseek.com", "deepseek"],
  ["mistral.ai", "mistral"],
  ["together.xyz", "together"],
  ["together.ai", "together"],
  ["fireworks.ai", "fireworks"],
  ["cerebras.ai", "cerebras"],
  ["x.ai", "x-ai"],
  ["perplexity.ai", "perplexity"],
  ["moonshot.ai", "moonshotai"],
  ["moonshot.cn", "moonshotai"],
  ["googleapis.com", "google"],
  ["amazonaws.com", "aws"],
];

/** `otherwise` when it is nobody that is known. */
export function providerOf(address: unknown, otherwise: string): string {
  const host = /^\w+:\/\/([^/:]+)/.exec(String(address))?.[1] ?? "";
  const found = providers.find(([ending]) => host === ending || host.endsWith(`.${ending}`));
  return found?.[1] ?? otherwise;
}
