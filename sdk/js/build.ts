// Makes the npm package's dist/: JavaScript and declarations, a file for each source.
//   bun sdk/js/build.ts [--outdir=<path>]
// Bun writes the JavaScript. The declarations come from TypeScript: nothing else keeps the comments
// that editors show.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "./package.json" with { type: "json" };

const here = import.meta.dir;
const compiler = join(here, "../../node_modules/typescript/bin/tsc");

/** Sources of the entry points, by the manifest. */
const entries = Object.values(manifest.exports).flatMap((one) =>
  typeof one === "string" ? [] : [one.default.replace("./dist/", "").replace(".js", ".ts")]
);

/** What a program that only logs keeps of the package, when its bundler leaves out the rest. */
export const core = [
  ...["init", "flush", "close", "stats", "setUser", "setSession", "setTags", "score"],
  ...["logPromptCall", "logToolCall", "logAgentStep", "logError", "logEvent"],
  ...["logAssertionFailed", "logHallucination"],
];

export interface Built {
  /** Bytes of a bundle that minifies: of all that the main entry point has, and of the core. */
  allGzipBytes: number;
  coreGzipBytes: number;
}

/** A file for each source: bundlers leave out what a program does not use. */
export async function buildPackage(outdir: string): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  const transpiler = new Bun.Transpiler({
    loader: "ts",
    target: "browser",
    trimUnusedImports: true,
  });
  for (const name of new Bun.Glob("**/*.ts").scanSync(join(here, "src"))) {
    const text = await transpiler.transform(readFileSync(join(here, "src", name), "utf8"));
    // Of a file with nothing but types, nothing is left.
    if (text.trim() === "") continue;
    const file = join(outdir, name.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, toJs(text));
  }
  declare(outdir);
}

/** Imports of a file's neighbours. */
function toJs(text: string): string {
  return text.replaceAll(/(["']\.\.?\/[^"']+)\.ts(["'])/g, "$1.js$2");
}

// Without what any of the hosts lacks.
const options = { target: "browser", format: "esm" } as const;

/** What the package weighs in a web page, gzipped. */
export async function weigh(folder: string): Promise<Built> {
  const index = join(here, "src/index.ts");
  const only = join(folder, "core.ts");
  writeFileSync(only, `export { ${core.join(", ")} } from ${JSON.stringify(index)};`);
  const bytes = async (entry: string) => {
    const bundle = await Bun.build({
      ...options,
      entrypoints: [entry],
      minify: true,
      // Loaded by the few programs that ask for it.
      external: ["*/spool.ts"],
    });
    const [output] = bundle.outputs;
    if (output === undefined) throw new AggregateError(bundle.logs, "The bundle failed.");
    return Bun.gzipSync(new Uint8Array(await output.arrayBuffer())).length;
  };
  return { allGzipBytes: await bytes(index), coreGzipBytes: await bytes(only) };
}

function declare(outdir: string): void {
  const run = Bun.spawnSync([
    process.execPath,
    compiler,
    ...entries.map((name) => join(here, "src", name)),
    "--ignoreConfig",
    "--declaration",
    "--emitDeclarationOnly",
    "--noCheck",
    "--stripInternal",
    "--allowImportingTsExtensions",
    ...["--target", "esnext", "--module", "esnext", "--moduleResolution", "bundler"],
    ...["--types", "", "--rootDir", join(here, "src"), "--outDir", outdir],
  ]);
  if (!run.success) {
    throw new Error(`No declarations:\n${run.stdout}${run.stderr}`);
  }
  for (const name of new Bun.Glob("**/*.d.ts").scanSync(outdir)) {
    const file = join(outdir, name);
    writeFileSync(file, toJs(readFileSync(file, "utf8")));
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { outdir: { type: "string" } } });
  const outdir = resolve(values.outdir ?? join(here, "dist"));
  await buildPackage(outdir);
  console.log(await weigh(outdir));
  rmSync(join(outdir, "core.ts"));
}
