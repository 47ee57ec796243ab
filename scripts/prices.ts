// Writes src/price/table.json and NOTICES.md beside it, from pinned versions of its two sources: the
// npm package @pydantic/genai-prices, and the price map that the PyPI wheel of LiteLLM carries.
import { type Provider, waitForUpdate } from "@pydantic/genai-prices";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Table } from "../src/price/table.ts";
import { root } from "./inputs.ts";
import { providersOf, type SourceProvider } from "./prices/genai.ts";
import { complete, type PriceMap } from "./prices/litellm.ts";

const litellmVersion = "1.109.1";
const folder = join(root, "src/price");
export const tablePath = join(folder, "table.json");
const noticesPath = join(folder, "NOTICES.md");
const cache = join(root, `node_modules/.cache/litellm-${litellmVersion}`);
const mapPath = join(cache, "model_prices.json");
const licencePath = join(cache, "LICENSE");

export interface Made {
  table: Table;
  differing: string[];
}

/** The table from the npm package alone, or with the price map. Deterministic. */
export async function makeTable(map: PriceMap | null): Promise<Made> {
  const source = await waitForUpdate() as Provider[] as SourceProvider[];
  const providers = providersOf(source);
  const sources = {
    base: `genai-prices ${packageOf("@pydantic/genai-prices").version}`,
    completion: `litellm ${litellmVersion}`,
  };
  const differing = map === null ? [] : complete(providers, sources, map).differing;
  return { table: { sources, providers }, differing };
}

/** One line a model, so that a change of prices can be read. */
export function tableText({ sources, providers }: Table): string {
  const rows = providers.map(({ models, more, ...provider }) => {
    const head = JSON.stringify(provider).slice(0, -1);
    const lines = models.map((model) => JSON.stringify(model)).join(",\n");
    const extra = Object.entries(more ?? {}).map(([name, row]) =>
      `${JSON.stringify(name)}:${JSON.stringify(row)}`
    ).join(",\n");
    return `${head},"models":[\n${lines}\n]${extra === "" ? "" : `,"more":{\n${extra}\n}`}}`;
  });
  return `{"sources":${JSON.stringify(sources)},"providers":[\n${rows.join(",\n")}\n]}\n`;
}

/** The price map when it was downloaded before, else null. */
export function cachedPriceMap(): PriceMap | null {
  return existsSync(mapPath) ? JSON.parse(readFileSync(mapPath, "utf8")) as PriceMap : null;
}

function download(): PriceMap {
  const cached = cachedPriceMap();
  if (cached !== null) return cached;
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  // Its wheels differ only in compiled code; any platform's will do.
  run(["python3", "-m", "pip", "download", "--no-deps", "--quiet", "--dest", cache].concat(
    `litellm==${litellmVersion}`,
  ));
  const script = "import glob, sys, zipfile\n" +
    "wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])\n" +
    "names = wheel.namelist()\n" +
    "for end, to in (('/model_prices_and_context_window_backup.json', sys.argv[2]), ('dist-info/licenses/LICENSE', sys.argv[3])):\n" +
    "    open(to, 'wb').write(wheel.read(next(name for name in names if name.endswith(end))))\n";
  run(["python3", "-c", script, cache, mapPath, licencePath]);
  for (const name of readdirSync(cache).filter((name) => name.endsWith(".whl"))) {
    rmSync(join(cache, name));
  }
  return JSON.parse(readFileSync(mapPath, "utf8")) as PriceMap;
}

function packageOf(name: string): { version: string } {
  return JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
}

function run(command: string[]): void {
  const done = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (!done.success) throw new Error(`${command.slice(0, 4).join(" ")} failed: ${done.stderr}`);
}

function noticesText({ sources }: Table): string {
  const genai = readFileSync(join(root, "node_modules/@pydantic/genai-prices/LICENSE"), "utf8");
  const litellm = readFileSync(licencePath, "utf8");
  return `# Where the prices come from\n\n\`table.json\` is made by \`scripts/prices.ts\` from two lists of ` +
    `prices, both under the MIT licence.\n\n## ${sources.base}\n\n` +
    `<https://github.com/pydantic/genai-prices>\n\n\`\`\`text\n${genai.trim()}\n\`\`\`\n\n` +
    `## ${sources.completion}\n\n<https://github.com/BerriAI/litellm>, its file ` +
    `\`model_prices_and_context_window_backup.json\`\n\n\`\`\`text\n${litellm.trim()}\n\`\`\`\n`;
}

if (import.meta.main) {
  const { table, differing } = await makeTable(download());
  const text = tableText(table);
  writeFileSync(tablePath, text);
  writeFileSync(noticesPath, noticesText(table));
  for (const one of differing) console.log(one);
  const models = table.providers.reduce(
    (sum, { models, more = {} }) => sum + models.length + Object.keys(more).length,
    0,
  );
  console.log(
    `${models} models, ${Math.round(text.length / 1024)} KiB, ${differing.length} differ.`,
  );
}
