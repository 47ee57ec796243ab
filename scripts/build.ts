// Makes dist/watchllm: one file with the server, the page and DuckDB in it.
//   deno task build [--all | --target=<target>]...
import { mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../deno.json" with { type: "json" };
import type { BuildInfo, EmbeddedFile } from "../src/embedded.ts";
import { hostTarget, nativePaths, type Target, targets } from "./bindings.ts";
import { filesUnder, root } from "./inputs.ts";
import { buildPage, pageFolder, sha256 } from "./page.ts";

/** What the binary is made of. */
export const buildInputs = ["src", "web", "queries", "sdk/js", "scripts", "deno.json", "deno.lock"];

/** Builds for one target and returns the path of the binary. The page must have been built. */
export async function buildBinary(target: Target, outfile: string): Promise<string> {
  const draft = `${outfile}.${process.pid}.tmp`;
  mkdirSync(join(root, "dist"), { recursive: true });
  try {
    const result = await Bun.build({
      entrypoints: [join(root, "src/main.ts"), ...workers()],
      plugins: [embed(target), lazyAddon],
      // Names stay: a stack trace must be readable. Whitespace and syntax make the size.
      minify: { whitespace: true, syntax: true },
      sourcemap: "linked",
      // A worker is found beside the program, wherever its source stands.
      naming: { entry: "[name].[ext]" },
      compile: {
        target: `bun-${target}`,
        outfile: draft,
        // Both would be read from the folder that the program is started in, and can run code.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    for (const log of result.logs) console.error(String(log));
    const made = result.outputs[0]?.path;
    if (!result.success || made === undefined) throw new Error(`No binary for ${target}.`);
    // By rename: a running program keeps its file, and nobody starts half a one.
    renameSync(made, outfile);
  } finally {
    rmSync(draft, { force: true });
  }
  return outfile;
}

export function outfileOf(target: Target, isHost: boolean): string {
  const suffix = target.startsWith("windows") ? ".exe" : "";
  return join(root, "dist", (isHost ? "watchllm" : `watchllm-${target}`) + suffix);
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

function wanted(args: string[]): Target[] {
  const { values } = parseArgs({
    args,
    options: { all: { type: "boolean" }, target: { type: "string", multiple: true } },
  });
  if (values.all) return [...targets];
  const host = hostTarget();
  const names = values.target ?? (host === null ? [] : [host]);
  if (names.length === 0) throw new Error(`Name a --target: ${targets.join(", ")}.`);
  return names.map((name) => {
    const target = targets.find((target) => target === name);
    if (target === undefined) {
      throw new Error(`No target ${name}. There are ${targets.join(", ")}.`);
    }
    return target;
  });
}

if (import.meta.main) {
  try {
    const chosen = wanted(process.argv.slice(2));
    await buildPage();
    for (const target of chosen) {
      const path = await buildBinary(target, outfileOf(target, target === hostTarget()));
      console.error(`${relative(root, path)}  ${(statSync(path).size / 1e6).toFixed(1)} MB`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
