// The libraries that the SDK is tried against, at their newest and oldest supported versions:
// installed once from pinned versions, into a folder of their own, and anew when the pins change.
//   bun sdk/js/test/libraries/install.ts newest hosts
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whileLocked } from "../../../../scripts/lock.ts";
import versions from "./versions.json" with { type: "json" };

export type LibrarySet = keyof typeof versions;

/**
 * The supported versions that tests of whole libraries are tried with: the newest, unless
 * `deno task test:frameworks` asks for the oldest.
 */
export const triedSet = process.env.AISENTRY_TEST_LIBRARIES === "oldest" ? "oldest" : "newest";

const cache = join(import.meta.dir, "../../../../node_modules/.cache/sdk_js");
const installMsMax = 240_000;

/** The folder that a set is installed in. */
export function libraries(set: LibrarySet): Promise<string> {
  return whileLocked(join(cache, `${set}.lock`), async () => {
    const folder = join(cache, set);
    const manifest = JSON.stringify({
      private: true,
      type: "module",
      dependencies: versions[set],
    });
    const stamp = join(folder, "made_from");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === manifest) {
      return folder;
    }
    console.error(`Installing the ${set} libraries in ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), manifest);
    const quiet = [
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--legacy-peer-deps",
    ];
    const npm = Bun.spawn(["npm", "install", ...quiet], {
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: installMsMax,
    });
    const [code, output] = await Promise.all([
      npm.exited,
      new Response(npm.stderr).text(),
    ]);
    if (code !== 0) {
      throw new Error(`npm install of the ${set} libraries failed:\n${output}`);
    }
    writeFileSync(stamp, manifest);
    return folder;
  });
}

if (import.meta.main) {
  for (const set of process.argv.slice(2)) {
    console.log(await libraries(set as LibrarySet));
  }
}
