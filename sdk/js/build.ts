// Makes the npm package's dist/: one JavaScript file and the declarations.
//   bun sdk/js/build.ts [--outdir=<path>]
// Bun writes the JavaScript. The declarations come from TypeScript: nothing else keeps the comments
// that editors show.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const here = import.meta.dir;
const compiler = join(here, "../../node_modules/typescript/bin/tsc");

export interface Built {
  /** Bytes of the file as it is published. */
  bytes: number;
  gzipBytes: number;
  /** What it adds to a web page whose bundler minifies. */
  minifiedGzipBytes: number;
}

export async function buildPackage(outdir: string): Promise<Built> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const plain = await bundle(false);
  writeFileSync(join(outdir, "index.js"), plain);
  declare(outdir);
  return {
    bytes: plain.length,
    gzipBytes: Bun.gzipSync(plain).length,
    minifiedGzipBytes: Bun.gzipSync(await bundle(true)).length,
  };
}

async function bundle(minify: boolean): Promise<string> {
  const result = await Bun.build({
    entrypoints: [join(here, "src/index.ts")],
    // Without what any of the hosts lacks.
    target: "browser",
    format: "esm",
    minify,
  });
  const [output] = result.outputs;
  if (output === undefined) {
    throw new AggregateError(result.logs, "The bundle failed.");
  }
  return await output.text();
}

function declare(outdir: string): void {
  const run = Bun.spawnSync([
    process.execPath,
    compiler,
    join(here, "src/index.ts"),
    "--ignoreConfig",
    "--declaration",
    "--emitDeclarationOnly",
    "--noCheck",
    "--stripInternal",
    "--allowImportingTsExtensions",
    ...[
      "--target",
      "esnext",
      "--module",
      "esnext",
      "--moduleResolution",
      "bundler",
    ],
    ...["--types", "", "--outDir", outdir],
  ]);
  if (!run.success) {
    throw new Error(`No declarations:\n${run.stdout}${run.stderr}`);
  }
  for (const name of new Bun.Glob("*.d.ts").scanSync(outdir)) {
    const file = join(outdir, name);
    const text = readFileSync(file, "utf8").replaceAll(/(["']\.\/[^"']+)\.ts(["'])/g, "$1.js$2");
    writeFileSync(file, text);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { outdir: { type: "string" } } });
  console.log(await buildPackage(resolve(values.outdir ?? join(here, "dist"))));
}
