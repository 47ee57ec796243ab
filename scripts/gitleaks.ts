// Writes src/redact/gitleaks.json and NOTICES.md beside it: the rules of gitleaks, from its pinned Go
// module, in the syntax of JavaScript. Needs Go, for its registry client.
//   bun scripts/gitleaks.ts
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GitleaksRule, GitleaksRules } from "../src/redact/gitleaks.ts";
import { root } from "./inputs.ts";
import { fromGo } from "./gitleaks_pattern.ts";

const version = "v8.30.1";
const folder = join(root, "src/redact");

/** Rules that are left out, and why. */
const leftOut: Record<string, string> = {
  "pkcs12-file": "looks at names of files",
  "private-key":
    "its work is not bounded; the form `private-key` finds the same, and keys that are cut short",
  "generic-api-key":
    "takes the names of pages and requests for secrets; the rule `assignment` finds the same with fewer wrong ones",
  "curl-auth-header": "its work is not bounded; the word before a credential finds the same",
  "curl-auth-user": "its work is not bounded; the rule `curl-user` finds the same",
};

const newRelic = ["new-relic", "newrelic", "new_relic"];

/** Other keywords than gitleaks': where those have too few characters, or a match begins before them. */
const otherKeywords: Record<string, readonly string[]> = {
  "azure-ad-client-secret": [..."0123456789"].map((digit) => `${digit}q~`),
  "twilio-api-key": [..."0123456789abcdef"].map((digit) => `sk${digit}`),
  "vault-service-token": ["hvs."].concat(
    [..."abcdefghijklmnopqrstuvwxyz0123456789"].map((next) => `s.${next}`),
  ),
  // A header of JSON begins with {".
  jwt: ["eyj"],
  "lob-api-key": ["lob"],
  "lob-pub-api-key": ["lob"],
  "new-relic-browser-api-token": newRelic,
  "new-relic-insert-key": newRelic,
  "new-relic-user-api-key": newRelic,
};

interface Source {
  rules: {
    id: string;
    regex?: string;
    keywords?: string[];
    entropy?: number;
    secretGroup?: number;
    allowlists?: { regexes?: string[]; stopwords?: string[]; regexTarget?: string }[];
  }[];
  allowlist: { regexes: string[]; stopwords?: string[] };
}

/** Rules whose match begins before their keyword, or stands elsewhere near it. */
const around = new Set([
  "airtable-personnal-access-token",
  "azure-ad-client-secret",
  "cloudflare-origin-ca-key",
  "facebook-access-token",
  "freemius-secret-key",
  "hashicorp-tf-api-token",
  "intra42-client-secret",
  "kubernetes-secret-yaml",
  "maxmind-license-key",
  "microsoft-teams-webhook",
  "openai-api-key",
  "sidekiq-sensitive-url",
  "slack-webhook-url",
  "sourcegraph-access-token",
]);

/** Characters before a keyword that only widen the match, and never the secret. */
const before = /^(?:\(\?i\))?\[\\w\.-\]\{0,50\}\?(\(\?i:)?(?:\[\\w\.-\]\{0,50\}\?)?/;

export function rulesOf(source: Source): { made: GitleaksRules; failed: string[] } {
  const failed: string[] = [];
  const rules: GitleaksRule[] = [];
  for (const { id, regex, keywords = [], entropy, secretGroup, allowlists = [] } of source.rules) {
    if (leftOut[id] !== undefined || regex === undefined) continue;
    const assigned = before.test(regex) && !around.has(id);
    const pattern = fromGo(assigned ? regex.replace(before, (_, inner) => inner ?? "(?i)") : regex);
    const allowed = allowlists.flatMap(({ regexes = [], regexTarget = "secret" }) =>
      regexes.map((text) => ({ target: regexTarget, pattern: fromGo(text) }))
    );
    if (!compiles(pattern) || !allowed.every((one) => compiles(one.pattern))) {
      failed.push(id);
      continue;
    }
    rules.push({
      id,
      keywords: otherKeywords[id] ?? keywords,
      pattern,
      where: assigned ? "named" : around.has(id) ? "around" : "at",
      ...entropy === undefined ? {} : { entropy },
      ...secretGroup === undefined ? {} : { group: secretGroup },
      ...allowed.length === 0 ? {} : { allowed },
      ...stopwordsOf(allowlists),
    });
  }
  const allowed = source.allowlist.regexes.map(fromGo);
  return { made: { source: `gitleaks ${version}`, allowed, rules }, failed };
}

function stopwordsOf(lists: { stopwords?: string[] }[]): { stopwords?: string[] } {
  const stopwords = lists.flatMap(({ stopwords = [] }) => stopwords);
  return stopwords.length === 0 ? {} : { stopwords };
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

function download(): string {
  const cache = join(root, "node_modules/.cache/gitleaks");
  mkdirSync(cache, { recursive: true });
  const done = Bun.spawnSync(
    ["go", "mod", "download", "-json", `github.com/zricethezav/gitleaks/v8@${version}`],
    { cwd: cache, env: { ...process.env, GOFLAGS: "-mod=mod" } },
  );
  if (!done.success) throw new Error(`go mod download failed: ${done.stderr}`);
  return (JSON.parse(done.stdout.toString()) as { Dir: string }).Dir;
}

if (import.meta.main) {
  const module = download();
  const source = Bun.TOML.parse(readFileSync(join(module, "config/gitleaks.toml"), "utf8"));
  const { made, failed } = rulesOf(source as Source);
  const lines = made.rules.map((rule) => JSON.stringify(rule)).join(",\n");
  const text = `{"source":${JSON.stringify(made.source)},"allowed":${
    JSON.stringify(made.allowed)
  },"rules":[\n${lines}\n]}\n`;
  writeFileSync(join(folder, "gitleaks.json"), text);
  const licence = readFileSync(join(module, "LICENSE"), "utf8");
  const reasons = Object.entries(leftOut).map(([id, why]) => `- \`${id}\`: ${why}`).join("\n");
  writeFileSync(
    join(folder, "NOTICES.md"),
    `# Where the rules of gitleaks come from\n\n\`gitleaks.json\` is made by \`scripts/gitleaks.ts\` ` +
      `from the rules of ${made.source},\n<https://github.com/gitleaks/gitleaks>, under the MIT ` +
      `licence. Left out:\n\n${reasons}\n\n\`\`\`text\n${licence.trim()}\n\`\`\`\n`,
  );
  console.log(`${made.rules.length} rules, ${Math.round(text.length / 1024)} KiB`);
  if (failed.length > 0) console.log(`Do not compile: ${failed.join(", ")}`);
}
