// Recording without a change of the program: `node --import aisentry/auto app.js`,
// `bun --preload aisentry/auto app.ts`, `deno run --preload npm:aisentry/auto app.ts`.
//
// Starts recording by the environment, and watches every client of the libraries that the program
// has installed. Without a DSN it loads nothing.
import { host } from "./host.ts";
import { init } from "./index.ts";
import { quietly, state } from "./state.ts";
import { get } from "./wire/reading.ts";
import { watchClient } from "./wrap.ts";

/** Libraries, and what of them makes clients. */
const libraries: Record<string, readonly string[]> = {
  "openai": ["OpenAI", "AzureOpenAI"],
  "@anthropic-ai/sdk": ["Anthropic", "BaseAnthropic"],
  "@google/genai": [],
  "groq-sdk": ["Groq"],
  "@cerebras/cerebras_cloud_sdk": ["Cerebras"],
  "together-ai": ["Together"],
};

init();
if (state.client !== null) await watchLibraries();

/** As the program would load them: `import` and `require` may give two copies of a library. */
async function watchLibraries(): Promise<void> {
  const module = host.process?.getBuiltinModule?.("node:module") as {
    createRequire?(from: string): NodeJS.Require;
  } | undefined;
  const cwd = (host.process as { cwd?(): string } | undefined)?.cwd?.() ?? "/";
  const require = module?.createRequire?.(`${cwd}/aisentry.js`);
  if (require === undefined) return;
  for (const [name, makers] of Object.entries(libraries)) {
    const paths = new Set<string>();
    for (
      const find of [
        () => require.resolve(name),
        () => importPath(require, name),
      ]
    ) {
      try {
        paths.add(find());
      } catch {
        // Not installed.
      }
    }
    for (const path of paths) {
      const loads = [
        () => import(urlOf(path)),
        () => Promise.resolve(require(path)),
      ];
      for (const load of loads) {
        await load().then((loaded) => watchMakers(loaded, makers), () => {});
      }
    }
  }
}

/** Where `import` finds a library; its manifest says so. */
function importPath(require: NodeJS.Require, name: string): string {
  const path = host.process?.getBuiltinModule?.("node:path") as
    | { dirname(path: string): string; join(...parts: string[]): string }
    | undefined;
  let folder = require.resolve(name);
  const isRoot = (at: string) => at.endsWith(`/node_modules/${name}`);
  while (
    path !== undefined && !isRoot(folder) && path.dirname(folder) !== folder
  ) {
    folder = path.dirname(folder);
  }
  const manifest = require(path!.join(folder, "package.json")) as object;
  const entry = get(manifest, "exports", ".") ?? get(manifest, "exports");
  const file = get(entry, "node", "import") ?? get(entry, "import") ??
    get(entry, "default") ??
    get(manifest, "module");
  const found = typeof file === "string" ? file : get(file, "default");
  return path!.join(folder, String(found));
}

function urlOf(path: string): string {
  const url = host.process?.getBuiltinModule?.("node:url") as {
    pathToFileURL(path: string): URL;
  };
  return url.pathToFileURL(path).href;
}

function watchMakers(loaded: unknown, makers: readonly string[]): void {
  quietly(() => {
    const seen = [
      get(loaded, "default"),
      ...makers.map((name) => get(loaded, name)),
    ];
    for (const maker of seen) {
      // The method may be one of the class that it extends.
      let owner = get(maker, "prototype") as object | undefined;
      while (owner != null && !Object.hasOwn(owner, "makeRequest")) {
        owner = Object.getPrototypeOf(owner);
      }
      if (owner != null) watchClient(owner);
    }
    const models = get(loaded, "Models", "prototype");
    if (models !== undefined) watchGoogle(models as Record<string, Method>);
  });
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Google's HTTP client is not for others to see: that of each `Models` is watched when it is used. */
function watchGoogle(models: Record<string, Method>): void {
  for (const name of Object.getOwnPropertyNames(models)) {
    const original = models[name];
    if (name === "constructor" || typeof original !== "function") continue;
    models[name] = function (...args) {
      quietly(() => watchClient(this as object));
      return original.apply(this, args);
    };
  }
}
