// Finds DuckDB's native files for a platform: the machine's own in node_modules, the others from
// the npm registry at the version and with the integrity that deno.lock pins.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./inputs.ts";

export const targets = [
  "linux-x64",
  "linux-arm64",
  "darwin-arm64",
  "darwin-x64",
  "windows-x64",
] as const;
export type Target = typeof targets[number];

const libraryNames = { linux: "libduckdb.so", darwin: "libduckdb.dylib", windows: "duckdb.dll" };

/** The machine's own target, or null when no binary can be made for it. */
export function hostTarget(): Target | null {
  const system = process.platform === "win32" ? "windows" : process.platform;
  return targets.find((target) => target === `${system}-${process.arch}`) ?? null;
}

/** Paths of the addon and its library; downloads their package once. */
export function nativePaths(target: Target): string[] {
  const system = target.slice(0, target.indexOf("-")) as keyof typeof libraryNames;
  const name = `@duckdb/node-bindings-${target.replace("windows", "win32")}`;
  const folder = installed(name) ?? downloaded(name);
  const paths = [join(folder, "duckdb.node"), join(folder, libraryNames[system])];
  for (const path of paths) {
    if (!existsSync(path)) throw new Error(`${name} lacks ${path}.`);
  }
  return paths;
}

function installed(name: string): string | null {
  try {
    // Only node-bindings itself sees its platforms' packages, and only node-api sees it.
    const api = Bun.resolveSync("@duckdb/node-api/package.json", root);
    const bindings = Bun.resolveSync("@duckdb/node-bindings/package.json", dirname(api));
    return dirname(Bun.resolveSync(`${name}/package.json`, dirname(bindings)));
  } catch {
    return null;
  }
}

function downloaded(name: string): string {
  const { version, integrity } = pinned(name);
  const cache = join(root, "node_modules/.cache/bindings");
  const folder = join(cache, `${name.slice(name.indexOf("/") + 1)}-${version}`);
  if (existsSync(folder)) return folder;

  const draft = join(cache, `draft-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  console.error(`Downloading ${name}@${version}`);
  // On Windows npm is a command file, which only a shell can start.
  const npm = process.platform === "win32" ? ["cmd", "/c", "npm"] : ["npm"];
  const pack = Bun.spawnSync([...npm, "pack", "--silent", `${name}@${version}`], {
    cwd: draft,
    stdout: "pipe",
    stderr: "inherit",
  });
  if (!pack.success) throw new Error(`npm pack ${name}@${version} failed.`);
  const archive = join(draft, pack.stdout.toString().trim().split("\n").at(-1)!);
  const found = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (`sha512-${found}` !== integrity) {
    throw new Error(`${name}@${version} is sha512-${found}, deno.lock says ${integrity}.`);
  }
  const unpack = Bun.spawnSync(["tar", "-xzf", archive, "-C", draft], { stderr: "inherit" });
  if (!unpack.success) throw new Error(`Cannot unpack ${archive}.`);
  renameSync(join(draft, "package"), folder);
  rmSync(draft, { recursive: true, force: true });
  return folder;
}

function pinned(name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, "deno.lock"), "utf8")) as {
    npm: Record<string, { integrity: string }>;
  };
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    if (key.startsWith(`${name}@`)) return { version: key.slice(name.length + 1), integrity };
  }
  throw new Error(`deno.lock does not pin ${name}.`);
}
