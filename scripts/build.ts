// Makes dist/watchllm: one file with the server, the page and DuckDB in it.
//   deno task build [--all | --target=<target>]... [--if-changed]
//   deno task build --target=<target> --outfile=<path>
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../deno.json" with { type: "json" };
import type { BuildInfo, EmbeddedFile } from "../src/embedded.ts";
import { hostTarget, nativePaths, type Target, targets } from "./bindings.ts";
import { filesUnder, hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";
import { buildPage, pageFolder, sha256 } from "./page.ts";

const buildInputs = ["src", "web", "queries", "sdk/js", "scripts", "deno.json", "deno.lock"];

/** Builds for one target and returns the path of the binary. The page must have been built. */
export async function buildBinary(target: Target, outfile: string): Promise<string> {
  // A folder, because source maps are left beside the binary although it carries them too.
  const draft = `${outfile}.${process.pid}.tmp`;
  mkdirSync(draft, { recursive: true });
  try {
    const result = await Bun.build({
      throw: false,
      entrypoints: [join(root, "src/main.ts"), ...workers()],
      plugins: [embed(target), lazyAddon],
      // Names stay: a stack trace must be readable. Whitespace and syntax make the size.
      minify: { whitespace: true, syntax: true },
      sourcemap: "linked",
      // A command loads only what it needs, already compiled: `version` 72 → 16 ms, and a server is
      // ready 130 ms earlier, for 3 % of size.
      format: "esm",
      splitting: true,
      bytecode: true,
      // A worker is found beside the program, wherever its source stands.
      naming: { entry: "[name].[ext]" },
      compile: {
        target: `bun-${target}`,
        outfile: join(draft, basename(outfile)),
        // Both would be read from the folder that the program is started in, and can run code.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    for (const log of result.logs) console.error(log);
    const made = result.outputs.find((output) => output.kind === "entry-point")?.path;
    if (!result.success || made === undefined) throw new Error(`No binary for ${target}.`);
    // By rename: a running program keeps its file, and nobody starts half a one.
    renameSync(made, outfile);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return outfile;
}

function outfileOf(target: Target): string {
  const suffix = target.startsWith("windows") ? ".exe" : "";
  const name = target === hostTarget() ? "watchllm" : `watchllm-${target}`;
  return join(root, "dist", name + suffix);
}

/** Threads that the program starts are programs of their own. */
function workers(): string[] {
  return filesUnder(join(root, "src")).filter((path) => path.endsWith("_worker.ts"));
}

/** Replaces src/embedded.ts by a module that carries the files. */
function embed(target: Target): Bun.BunPlugin {
  return {
    name: "embed",
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/]embedded\.ts$/ }, () => {
        const native = nativePaths(target).map((path) => ({ path, name: basename(path) }));
        const page = filesUnder(pageFolder).map((path) => ({
          path,
          name: relative(pageFolder, path).split(sep).join("/"),
        }));
        const imports: string[] = [];
        const list = (files: { path: string; name: string }[]) =>
          "[" + files.map(({ path, name }) => {
            const variable = `file_${imports.length}`;
            imports.push(
              `import ${variable} from ${JSON.stringify(path)} with { type: "file" };`,
            );
            const bytes = readFileSync(path);
            const about: Omit<EmbeddedFile, "path"> = {
              name,
              bytes: bytes.length,
              sha256: sha256(bytes),
            };
            return `{ ...${JSON.stringify(about)}, path: ${variable} }`;
          }).join(",\n") + "]";
        const contents = [
          `export const build = ${JSON.stringify(buildInfo(target))};`,
          `export const nativeFiles = ${list(native)};`,
          `export const pageFiles = ${list(page)};`,
        ];
        return { loader: "js", contents: [...imports, ...contents].join("\n") };
      });
    },
  };
}

/**
 * Bun cannot compile DuckDB's own loader: it names the addons of all platforms. This one hands out
 * what src/store/duckdb_library.ts has loaded.
 */
const lazyAddon: Bun.BunPlugin = {
  name: "lazy-addon",
  setup(build) {
    build.onResolve({ filter: /^@duckdb\/node-bindings$/ }, ({ path }) => ({
      path,
      namespace: "lazy-addon",
    }));
    build.onLoad({ filter: /.*/, namespace: "lazy-addon" }, () => ({
      loader: "js",
      contents: `module.exports = new Proxy({}, { get(_, key) {
        const addon = globalThis[Symbol.for("watchllm.duckdb.addon")];
        if (addon === undefined) throw new Error("DuckDB is reached only through loadDuckDB");
        return addon[key];
      } });`,
    }));
  },
};

function buildInfo(target: Target): BuildInfo {
  const version = manifest.version;
  // In a container build there is no repository: its commit comes from outside.
  const given = process.env.WATCHLLM_BUILD_COMMIT;
  if (given !== undefined && given !== "") {
    return { version, commit: given, committed_at: null, target };
  }
  const [hash, time] = git("log", "-1", "--format=%H %cI")?.split(" ") ?? [];
  if (hash === undefined || time === undefined) {
    return { version, commit: null, committed_at: null, target };
  }
  const dirty = git("status", "--porcelain", "--", ...buildInputs) !== "";
  return { version, commit: dirty ? `${hash}-dirty` : hash, committed_at: time, target };
}

function git(...args: string[]): string | null {
  try {
    const run = Bun.spawnSync(["git", ...args], { cwd: root, stderr: "ignore" });
    return run.success ? run.stdout.toString().trim() : null;
  } catch {
    return null;
  }
}

interface Order {
  chosen: Target[];
  /** Leave a binary alone that was made from the same inputs. */
  ifChanged: boolean;
  /** In place of a name under dist. */
  outfile?: string;
}

function order(args: string[]): Order {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: "boolean" },
      target: { type: "string", multiple: true },
      "if-changed": { type: "boolean" },
      outfile: { type: "string" },
    },
  });
  const ifChanged = values["if-changed"] === true;
  if (values.all) return { chosen: [...targets], ifChanged };
  const host = hostTarget();
  const names = values.target ?? (host === null ? [] : [host]);
  if (names.length === 0) throw new Error(`Name a --target: ${targets.join(", ")}.`);
  const chosen = names.map((name) => {
    const target = targets.find((target) => target === name);
    if (target !== undefined) return target;
    throw new Error(`No target ${name}. There are ${targets.join(", ")}.`);
  });
  if (values.outfile === undefined) return { chosen, ifChanged };
  if (chosen.length > 1) throw new Error("One --outfile cannot hold several targets.");
  return { chosen, ifChanged: false, outfile: resolve(values.outfile) };
}

async function carryOut({ chosen, ifChanged, outfile: named }: Order): Promise<void> {
  const inputs = hashOf(buildInputs);
  await buildPage();
  for (const target of chosen) {
    const outfile = named ?? outfileOf(target);
    const stamp = `${outfile}.inputs`;
    if (ifChanged && existsSync(outfile) && readIfThere(stamp) === inputs) continue;
    rmSync(stamp, { force: true });
    await buildBinary(target, outfile);
    if (named === undefined) writeFileSync(stamp, inputs);
    console.error(`${relative(root, outfile)}  ${(statSync(outfile).size / 1e6).toFixed(1)} MB`);
  }
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

if (import.meta.main) {
  try {
    const asked = order(process.argv.slice(2));
    await whileLocked(join(root, "node_modules/.cache/build.lock"), () => carryOut(asked));
  } catch (error) {
    // What a bundler throws says nothing by itself; what it holds does.
    if (error instanceof AggregateError) { for (const cause of error.errors) console.error(cause); }
    else console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
