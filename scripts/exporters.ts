// The real exporters that tests send with: installed once with the versions pinned in test/exporters,
// and anew when the pins change.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";
import { testPython } from "./python.ts";

const pins = "test/exporters";
const cache = join(root, "node_modules/.cache/exporters");
const isWindows = process.platform === "win32";

/** Folder whose node_modules has the JavaScript packages. */
export async function javascriptExporters(): Promise<string> {
  const folder = join(cache, "javascript");
  const files = ["package.json", "bun.lock"];
  await once(folder, files, () => {
    for (const file of files) {
      cpSync(join(root, pins, file), join(folder, file));
    }
    run(
      [process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"],
      folder,
    );
  });
  return folder;
}

/** The interpreter of an environment that has the packages of a requirements file. */
export async function pythonExporters(requirements: string): Promise<string> {
  const python = await testPython();
  if (python === null) throw new Error("There is no Python 3 on this machine.");
  const folder = join(cache, requirements.replace(/\.txt$/, ""));
  const bin = isWindows ? "Scripts" : "bin";
  const program = join(
    folder,
    "venv",
    bin,
    isWindows ? "python.exe" : "python",
  );
  await once(folder, [requirements], () => {
    run([python, "-m", "venv", "--without-pip", join(folder, "venv")], folder);
    const uv = join(python, "..", isWindows ? "uv.exe" : "uv");
    const file = join(root, pins, requirements);
    run([
      uv,
      "pip",
      "install",
      "--quiet",
      "--python",
      program,
      "--requirement",
      file,
    ], folder);
  });
  return program;
}

async function once(
  folder: string,
  files: string[],
  make: () => void,
): Promise<void> {
  mkdirSync(cache, { recursive: true });
  await whileLocked(`${folder}.lock`, () => {
    const stamp = join(folder, "made_from");
    const wanted = hashOf(files.map((file) => `${pins}/${file}`));
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
    console.error(`Installing real exporters into ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    make();
    writeFileSync(stamp, wanted);
  });
}

function run(command: string[], cwd: string): void {
  const done = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe" });
  if (done.success) return;
  throw new Error(`${command.join(" ")} failed:\n${done.stdout}${done.stderr}`);
}
