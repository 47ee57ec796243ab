// One hash over the files that a build reads, so that a build whose inputs stand still is not
// repeated.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

export const root = dirname(import.meta.dir);

const skipped = new Set(["node_modules", "dist", "__pycache__"]);

/** SHA-256 over names and contents of files and folders, given relative to the repository. */
export function hashOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((path) => filesUnder(join(root, path))).sort()) {
    const bytes = readFileSync(path);
    hash.update(`${relative(root, path).split(sep).join("/")}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** Absolute paths of the file, or of all files in the folder; none when it does not exist. */
export function filesUnder(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !skipped.has(name) && !name.startsWith("."))
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}
