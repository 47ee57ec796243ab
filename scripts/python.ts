// A Python of our own for the tests: a virtual environment with pinned packages, made once and made
// anew when the pins change.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";

const requirements = "scripts/python_requirements.txt";
const folder = join(root, "node_modules/.cache/python");
const isWindows = process.platform === "win32";
const program = join(folder, isWindows ? "Scripts/python.exe" : "bin/python");

/** Path of the environment's interpreter, or null when this machine has no Python 3. */
export async function testPython(): Promise<string | null> {
  const system = systemPython();
  if (system === null) return null;
  return await whileLocked(join(root, "node_modules/.cache/python.lock"), () => {
    const wanted = `${system.version} ${hashOf([requirements])}`;
    const stamp = join(folder, "made_from");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return program;
    console.error(`Making a Python environment in ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    run([...system.command, "-m", "venv", folder], "Debian has it in the package python3-venv.");
    const pip = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run([...pip, "--requirement", join(root, requirements)], "It needs a Python package index.");
    writeFileSync(stamp, wanted);
    return program;
  });
}

function systemPython(): { command: string[]; version: string } | null {
  for (const command of isWindows ? [["py", "-3"], ["python"]] : [["python3"], ["python"]]) {
    try {
      const asked = Bun.spawnSync([...command, "--version"], { stderr: "pipe" });
      const version = asked.stdout.toString().trim();
      if (asked.success && version.startsWith("Python 3.")) return { command, version };
    } catch {
      // Not there: the next name.
    }
  }
  return null;
}

function run(command: string[], hint: string): void {
  const done = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (done.success) return;
  throw new Error(`${command.join(" ")} failed. ${hint}\n${done.stdout}${done.stderr}`);
}
