// Names as producers write them → names as the price table has them. A name is never guessed at: each
// candidate is a name that the table must have.

/** Longer names are no model's. */
export const nameCharactersMax = 128;
export const candidatesMax = 16;

const pathsMax = 6;

/** What producers call a provider, where it is not the table's own id. */
const aliases: Readonly<Record<string, string>> = {
  "alibaba": "dashscope",
  "alibaba-cloud": "dashscope",
  "aliyun": "dashscope",
  "amazon": "aws",
  "amazon-bedrock": "aws",
  "anthropic-vertex": "google",
  "aws-bedrock": "aws",
  "az": "azure",
  "azure-ai": "azure",
  "azure-openai": "azure",
  "bedrock": "aws",
  "bedrock-converse": "aws",
  "bedrock-mantle": "aws",
  "chatgoogle": "google",
  "codestral": "mistral",
  "cohere-chat": "cohere",
  "copilot": "github-copilot",
  "fireworks-ai": "fireworks",
  "gcp": "google",
  "gemini": "google",
  "google-ai": "google",
  "google-ai-studio": "google",
  "google-genai": "google",
  "google-generative-ai": "google",
  "google-vertex": "google",
  "google-vertexai": "google",
  "googlevertex": "google",
  "ibm": "watsonx",
  "ibm.watsonx.ai": "watsonx",
  "kimi": "moonshotai",
  "mistral-ai": "mistral",
  "mistralai": "mistral",
  "moonshot": "moonshotai",
  "moonshot-ai": "moonshotai",
  "novita-ai": "novita",
  "qwen": "dashscope",
  "text-completion-codestral": "mistral",
  "text-completion-openai": "openai",
  "together-ai": "together",
  "togetherai": "together",
  "vertex": "google",
  "vertex-ai": "google",
  "vertexai": "google",
  "voyage": "voyageai",
  "x.ai": "x-ai",
  "xai": "x-ai",
  "z-ai": "zai",
  "z.ai": "zai",
  "zhipu": "zhipuai",
};

/** Where models run on the user's own machines, or may do so: nobody's price list is about them. */
const ownMachines = new Set([
  "docker-model-runner",
  "foundry-local",
  "gpt4all",
  "hf",
  "hosted-vllm",
  "hugging-face",
  "huggingface",
  "huggingface-hub",
  "huggingface-local",
  "huggingface-pipeline",
  "llama-cpp",
  "llama.cpp",
  "llamacpp",
  "llamafile",
  "lm-studio",
  "lmstudio",
  "local",
  "localai",
  "mlx",
  "ollama",
  "ollama-chat",
  "self-hosted",
  "sglang",
  "tgi",
  "transformers",
  "triton",
  "vllm",
  "xinference",
]);

/**
 * Ids that a provider's name may stand for, the likeliest first: `azure.ai.openai` is `azure`,
 * `openai.responses` is `openai`. Empty for a name that runs on the user's own machines.
 */
export function providerCandidates(provider: string): string[] | "own" {
  if (provider.length > nameCharactersMax) return [];
  const name = provider.trim().toLowerCase().replaceAll("_", "-").replaceAll(" ", "-");
  const found = new Set<string>();
  // `aws.bedrock`, `gcp.vertex-ai`, `google.generative-ai.chat`: the part before a dot is the house.
  for (let part = name; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) {
    if (ownMachines.has(part)) return "own";
    found.add(aliases[part] ?? part);
    if (found.size >= candidatesMax) break;
  }
  return [...found];
}

/** `us.anthropic.claude-…`, or an ARN of Bedrock. */
export function isBedrockId(model: string): boolean {
  const name = model.slice(model.lastIndexOf("/") + 1);
  return model.startsWith("arn:aws") || vendors.test(name.replace(regions, ""));
}

const regions = /^(?:us-gov|us|eu|apac|ap|jp|au|ca|sa|global)\./;
const vendors =
  /^(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|writer|zai)\./;
/** Whose it is comes after the model that was tuned: `ft:gpt-4.1-2025-04-14:acme::id`. */
const fineTuned = /^(ft:[^:]+):.*$/;
const compactDate = /-(20\d\d)([01]\d)([0-3]\d)$/;
/** Endings that name a revision rather than another model. */
const endings = [
  /@[^@]*$/, // claude-sonnet-4@20250514, …@default
  /-v\d+:\d+$/, // …-v1:0
  /-v\d+$/,
  /-\d{8}$/,
  /-\d{4}-\d{2}-\d{2}$/,
  /-latest$/,
  /:(?:nitro|floor|exacto)$/, // OpenRouter's choice among hosts
];

export interface Candidate {
  name: string;
  /** It is no mere part of another candidate: rules for any part of a name are tried on it. */
  whole: boolean;
}

/** Names to look up for a model, in order; at most `candidatesMax`. */
export function modelCandidates(model: string): Candidate[] {
  if (model.length > nameCharactersMax) return [];
  const full = model.trim().toLowerCase();
  if (full === "") return [];
  const found = new Map<string, Candidate>();
  const add = (name: string, whole: boolean) => {
    if (name === "" || found.size >= candidatesMax || found.has(name)) return;
    found.set(name, { name, whole });
  };
  // `openrouter/anthropic/claude-…`, `models/gemini-…`, an ARN: every beginning may be a path.
  for (let rest = full; found.size < pathsMax;) {
    add(rest, rest === full);
    const slash = rest.indexOf("/");
    if (slash === -1) break;
    rest = rest.slice(slash + 1);
  }
  const last = full.slice(full.lastIndexOf("/") + 1);
  const unplaced = last.replace(regions, "");
  const bare = unplaced.replace(vendors, "");
  add(unplaced, false);
  add(bare, false);
  add(bare.replace(fineTuned, "$1"), false);
  add(bare.replace(compactDate, "-$1-$2-$3"), true);
  for (let rest of new Set([full, bare])) {
    for (;;) {
      const ending = endings.find((one) => one.test(rest));
      if (ending === undefined) break;
      rest = rest.replace(ending, "");
      add(rest, false);
    }
  }
  for (const { name, whole } of [...found.values()]) {
    // claude-sonnet-4.5 and claude-sonnet-4-5 are one.
    add(name.replace(/(\d)\.(\d)/g, "$1-$2"), whole);
    add(name.replace(/(\d)-(\d)(?!\d)/g, "$1.$2"), whole);
  }
  return [...found.values()];
}
