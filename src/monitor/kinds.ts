// Every kind of endpoint. A new one is a file beside this one, a line here and a type in `monitor.ts`.
import { anthropic } from "./anthropic.ts";
import { http } from "./http.ts";
import type { Kind } from "./kind.ts";
import type { Monitor, MonitorType } from "./monitor.ts";
import { openai } from "./openai.ts";

export const kinds: Readonly<Record<MonitorType, Kind>> = { openai, anthropic, http };

const hosts: readonly (readonly [ending: string, provider: string])[] = [
  ["api.openai.com", "openai"],
  ["api.anthropic.com", "anthropic"],
  [".openai.azure.com", "azure"],
  ["openrouter.ai", "openrouter"],
  ["api.groq.com", "groq"],
  ["api.mistral.ai", "mistral"],
  ["api.deepseek.com", "deepseek"],
  ["api.together.xyz", "together"],
  ["api.fireworks.ai", "fireworks"],
  ["api.x.ai", "x-ai"],
];

/** Who serves the model, as far as the address says it. */
export function providerOf({ provider, url }: Pick<Monitor, "provider" | "url">) {
  if (provider !== undefined) return provider;
  const { hostname } = new URL(url);
  return hosts.find(([ending]) =>
    ending.startsWith(".") ? hostname.endsWith(ending) : hostname === ending
  )?.[1];
}
