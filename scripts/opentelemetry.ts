// The OpenTelemetry packages of JavaScript for the tests: installed once with pinned versions, and
// anew when the pins change. They are larger than what the product itself needs.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";

const pins = "scripts/opentelemetry";
const folder = join(root, "node_modules/.cache/opentelemetry");

/** Loads one of the packages by its name. */
export async function openTelemetry<Package>(name: string): Promise<Package> {
  await installed();
  return await import(Bun.resolveSync(name, folder)) as Package;
}

/** Path of the folder whose node_modules holds the packages, for programs of their own. */
export async function installed(): Promise<string> {
  await whileLocked(`${folder}.lock`, () => {
    const stamp = join(folder, "made_from");
    const wanted = hashOf([pins]);
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
    console.error(`Installing OpenTelemetry into ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(join(root, pins), folder, { recursive: true });
    const done = Bun.spawnSync(
      [process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"],
      { cwd: folder, stdout: "pipe", stderr: "pipe" },
    );
    if (!done.success) throw new Error(`OpenTelemetry cannot be installed:\n${done.stderr}`);
    writeFileSync(stamp, wanted);
  });
  return folder;
}
