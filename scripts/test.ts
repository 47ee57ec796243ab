// Runs every test of the repository, TypeScript and Python, and ends with their sum:
//   N passed, N failed
// A suite in which nothing ran counts as a failure. Arguments go to `bun test`, and then only that
// is run: deno task test test/serve. With --frameworks it runs the SDKs instead, beside the real
// libraries at their oldest and newest versions: deno task test:frameworks. WATCHLLM_BINARY names a
// binary to try in the place of the one that is built.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./inputs.ts";
import { testPython } from "./python.ts";
import { pythonOf, type PythonSet, pythonSets } from "./python_sets.ts";

interface Count {
  passed: number;
  failed: number;
}

/** A test that hangs must not hang the run: a whole run takes a few minutes. */
const suiteMsMax = 12 * 60_000;
/** Of a test that does not say; a busy machine is no failure. */
const testMsMax = 60_000;

/** What the tests would otherwise install or build while their time runs. */
function prepare(libraries: string[]): void {
  const scripts = [["sdk/js/test/libraries/install.ts", ...libraries]];
  if (process.env.WATCHLLM_BINARY === undefined) {
    scripts.push(["scripts/build.ts", "--if-changed"]);
  }
  // Those that need what could not be had say what is wrong with it.
  for (const [script, ...args] of scripts) {
    Bun.spawnSync([process.execPath, join(root, script!), ...args], {
      cwd: root,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
  }
}

/** The JavaScript SDK with the libraries that the default run leaves out. */
async function javascriptFrameworks(report: string): Promise<Count> {
  console.log("sdk/js with the oldest libraries");
  prepare(["oldest", "bench"]);
  const files = ["frameworks", "properties", "conformance", "bench"]
    .map((name) => `sdk/js/test/${name}.test.ts`);
  return await bunTest(report, files, { AISENTRY_TEST_LIBRARIES: "oldest" });
}

async function typescript(report: string, args: string[]): Promise<Count> {
  // Ahead of the tests, whose time is bounded.
  prepare(args.length === 0 ? ["newest", "hosts"] : []);
  return await bunTest(report, args, {});
}

async function bunTest(
  report: string,
  args: string[],
  env: Record<string, string>,
): Promise<Count> {
  // Each file by itself, several at a time: most wait for servers, browsers and disks.
  const run = ["test", "--parallel", `--timeout=${testMsMax}`];
  const junit = ["--reporter=junit", `--reporter-outfile=${report}`];
  return await runSuite([process.execPath, ...run, ...junit, ...args], root, report, env);
}

/** The core's tests, and beside them those of the sets, one after the other. */
async function python(
  reports: string,
  runs: PythonSet["runs"],
): Promise<Count[]> {
  const program = await testPython();
  if (program === null) {
    console.error(
      "There is no Python 3 on this machine: the tests of sdk/python are left out.",
    );
    return [none];
  }
  const uv = join(
    program,
    "..",
    process.platform === "win32" ? "uv.exe" : "uv",
  );
  const sets = async () => {
    const counts: Count[] = [];
    for (const [at, set] of pythonSets.entries()) {
      if (set.runs !== runs) continue;
      counts.push(
        await attempt(() => pythonSet(set, uv, join(reports, `set${at}.xml`))),
      );
    }
    return counts;
  };
  if (runs === "by frameworks") return await sets();
  const core = attempt(() => pytest(program, [], join(reports, "python.xml")));
  const others = sets();
  return [await core, ...await others];
}

async function pythonSet(
  set: PythonSet,
  uv: string,
  report: string,
): Promise<Count> {
  const program = await pythonOf(set, uv);
  if (program === null) {
    console.error(
      `${set.name}: there is no ${set.python ?? "Python 3.10"} on this machine.`,
    );
    return none;
  }
  console.log(
    `sdk/python with ${set.name}${set.python === undefined ? "" : `, ${set.python}`}`,
  );
  return await pytest(program, set.tests, report);
}

async function pytest(
  program: string,
  args: string[],
  report: string,
): Promise<Count> {
  const command = [
    program,
    "-m",
    "pytest",
    "-q",
    `--junitxml=${report}`,
    ...args,
  ];
  return await runSuite(command, join(root, "sdk/python"), report);
}

/** The built binary, as users run it; the sources where it could not be built. */
function serverCommand(): string {
  const built = process.platform === "win32" ? "watchllm.exe" : "watchllm";
  const binary = process.env.WATCHLLM_BINARY ?? join(root, "dist", built);
  return existsSync(binary)
    ? `"${binary}" serve`
    : `"${process.execPath}" "${join(root, "src/main.ts")}" serve`;
}

async function runSuite(
  command: string[],
  cwd: string,
  report: string,
  env: Record<string, string> = {},
): Promise<Count> {
  const child = Bun.spawn(command, {
    cwd,
    env: {
      ...process.env,
      // The package's sources, without installing it.
      PYTHONPATH: join(root, "sdk/python/src"),
      AISENTRY_TEST_SERVER_CMD: serverCommand(),
      ...env,
    },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const timer = setTimeout(() => {
    console.error(
      `Ended after ${suiteMsMax / 60_000} minutes: ${command.join(" ")}`,
    );
    child.kill("SIGKILL");
  }, suiteMsMax);
  const code = await child.exited;
  clearTimeout(timer);
  const count = existsSync(report) ? countOf(readFileSync(report, "utf8")) : none;
  if (count.passed + count.failed === 0) {
    console.error(`No test ran: ${command.join(" ")}`);
  }
  // A file that cannot be loaded fails the run without failing a test.
  const unseen = count.failed === 0 && (code !== 0 || count.passed === 0) ? 1 : 0;
  return { passed: count.passed, failed: count.failed + unseen };
}

const none: Count = { passed: 0, failed: 0 };

/** Both runners write JUnit's XML; what was skipped is neither passed nor failed. */
export function countOf(xml: string): Count {
  const cases = xml.match(/<testcase\b[^>]*?(\/>|>[\s\S]*?<\/testcase>)/g) ??
    [];
  const failed = cases.filter((test) => /<(failure|error)\b/.test(test)).length;
  const skipped = cases.filter((test) => /<skipped\b/.test(test)).length;
  return { passed: cases.length - failed - skipped, failed };
}

async function attempt(suite: () => Promise<Count>): Promise<Count> {
  try {
    return await suite();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return { passed: 0, failed: 1 };
  }
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const reports = mkdtempSync(join(tmpdir(), "watchllm-test-"));
  const counts: Count[] = [];
  if (args[0] === "--frameworks") {
    const javascript = () => javascriptFrameworks(join(reports, "javascript.xml"));
    counts.push(await attempt(javascript), ...await python(reports, "by frameworks"));
  } else {
    counts.push(
      await attempt(() => typescript(join(reports, "typescript.xml"), args)),
    );
    if (args.length === 0) counts.push(...await python(reports, "always"));
  }
  rmSync(reports, { recursive: true, force: true });
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}
