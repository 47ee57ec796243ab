// What the build puts inside the binary. Run from source there is nothing in it: scripts/build.ts
// replaces this module by one with the same names.
import manifest from "../deno.json" with { type: "json" };

export interface EmbeddedFile {
  name: string;
  /** Where the running program finds the bytes. */
  path: string;
  bytes: number;
  /** Lower-case hexadecimal. */
  sha256: string;
}

export interface BuildInfo {
  version: string;
  /** Git commit, or null when built outside a repository. */
  commit: string | null;
  /** ISO 8601 time of that commit; null when unknown. */
  committed_at: string | null;
  /** Such as `linux-x64`; null when run from source. */
  target: string | null;
}

export const build: BuildInfo = {
  version: manifest.version,
  commit: null,
  committed_at: null,
  target: null,
};

/** DuckDB's addon and library for this platform; null when run from source. */
export const nativeFiles: readonly EmbeddedFile[] | null = null;

/** The page with its compressed variants; null when run from source. */
export const pageFiles: readonly EmbeddedFile[] | null = null;
