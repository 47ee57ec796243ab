// The Python suites beside the core's own: sets of real libraries at pinned versions, each in a
// virtual environment of its own below node_modules/.cache/python_sdk, and the tests that run there.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { hashOf, root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";

export interface PythonSet {
  /** Of the environment, and of its requirements file in sdk/python/tests/requirements. */
  name: string;
  /** Paths below sdk/python, with options of pytest. */
  tests: string[];
  /** In the default run, or only by `deno task test:frameworks`. */
  runs: "always" | "by frameworks";
  /** The interpreter's command, where it is not the machine's own. */
  python?: string;
}

const frameworks = ["tests/frameworks"];

export const pythonSets: readonly PythonSet[] = [
  {
    name: "clients_newest",
    tests: [...frameworks, "tests/test_conformance.py", "-k", "frameworks or providers"],
    runs: "always",
  },
  { name: "litellm_newest", tests: ["tests/frameworks/test_litellm.py"], runs: "always" },
  { name: "llama_index_newest", tests: ["tests/frameworks/test_llama_index.py"], runs: "always" },
  { name: "crewai_newest", tests: ["tests/frameworks/test_crewai.py"], runs: "by frameworks" },
  { name: "clients_oldest", tests: frameworks, runs: "by frameworks" },
  { name: "langchain_oldest", tests: frameworks, runs: "by frameworks" },
  { name: "agents_oldest", tests: frameworks, runs: "by frameworks" },
  {
    name: "litellm_oldest",
    tests: ["tests/frameworks/test_litellm.py"],
    runs: "by frameworks",
  },
  {
    name: "llama_index_oldest",
    tests: ["tests/frameworks/test_llama_index.py"],
    runs: "by frameworks",
  },
  { name: "crewai_oldest", tests: ["tests/frameworks/test_crewai.py"], runs: "by frameworks" },
  {
    name: "gevent",
    tests: ["tests/test_gevent.py", "tests/test_gunicorn.py"],
    runs: "by frameworks",
  },
  { name: "bench", tests: ["tests/test_readme.py", "-k", "benchmark"], runs: "by frameworks" },
  ...["3.9", "3.10", "3.12", "3.13", "3.14"].map((version): PythonSet => ({
    name: "core",
    tests: ["tests", "--ignore=tests/frameworks"],
    runs: "by frameworks",
    python: `python${version}`,
  })),
];

const installMsMax = 5 * 60_000;

/** The interpreter of the set's environment, made when it is missing; null without that Python. */
export async function pythonOf(set: PythonSet, uv: string): Promise<string | null> {
  const interpreter = set.python === undefined ? newest(uv) : named(set.python);
  if (interpreter === null) return null;
  const name = set.python === undefined ? set.name : `${set.name}_${set.python}`;
  const folder = join(root, "node_modules/.cache/python_sdk", name);
  const program = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const requirements = `sdk/python/tests/requirements/${set.name}.txt`;
  return await whileLocked(`${folder}.lock`, () => {
    const made = `${interpreter} ${hashOf([requirements])}`;
    const stamp = join(folder, "made_from");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === made) return program;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, ".."), { recursive: true });
    run([uv, "venv", "--quiet", "--no-python-downloads", "--python", interpreter, folder]);
    run([uv, "pip", "install", "--quiet", "--python", program, "-r", join(root, requirements)]);
    writeFileSync(stamp, made);
    return program;
  });
}

/** What the newest libraries need. */
function newest(uv: string): string | null {
  const found = Bun.spawnSync([uv, "python", "find", "--no-python-downloads", ">=3.10"], {
    stderr: "ignore",
  });
  return found.success ? found.stdout.toString().trim() : null;
}

/** An interpreter of one version: on the path, or kept by pyenv beside others. */
function named(python: string): string | null {
  const kept = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  const version = python.replace("python", "");
  const beside = existsSync(kept)
    ? readdirSync(kept).filter((name) => name.startsWith(`${version}.`))
    : [];
  for (const program of [python, ...beside.map((name) => join(kept, name, "bin", python))]) {
    try {
      const asked = Bun.spawnSync([program, "-c", "import sys; print(sys.executable)"], {
        stderr: "ignore",
      });
      if (asked.success) return asked.stdout.toString().trim();
    } catch {
      // Not there: the next place.
    }
  }
  return null;
}

function run(command: string[]): void {
  const done = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe", timeout: installMsMax });
  if (done.success) return;
  throw new Error(`${command.join(" ")} failed.\n${done.stdout}${done.stderr}`);
}
