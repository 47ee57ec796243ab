// `watchllm doctor`: is this machine, and this data directory, fit to serve? Looks only; a running
// server does not notice. Exit code 1 when something must be mended.
import {
  accessSync,
  constants,
  existsSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { addressText, type Config } from "../config.ts";
import { isLoopback } from "../std/loopback.ts";
import { loadDuckDB } from "../store/duckdb_library.ts";
import { DataDirError, dataFormat, formatOf, type Holder, holderOf } from "../store/lock.ts";
import { statePath } from "../store/state.ts";
import { checkState } from "../store/state/database.ts";
import { type Call, exitCodes } from "./command.ts";
import { localUrl } from "./healthcheck.ts";
import { print } from "./output.ts";

/** `look` is worth a look, `bad` must be mended before the server can work. */
type Verdict = "good" | "look" | "bad";

interface Finding {
  check: string;
  verdict: Verdict;
  /** What was found and, unless it is good, what to do. */
  message: string;
}

type Outcome = [verdict: Verdict, message: string];

interface Scene {
  config: Config;
  holder: Holder | "unknown" | null;
}

const readyMsMax = 2000;
/** Before this build existed: the clock of the machine has been reset. */
const earliest = Date.UTC(2025, 0, 1);

export async function run({ config, options }: Call): Promise<number> {
  const findings = await examine(config);
  const bad = findings.some(({ verdict }) => verdict === "bad");
  if (options.get("format") === "json") {
    await print(JSON.stringify({ fit: !bad, findings }, null, 2));
  } else {
    const signs: Readonly<Record<Verdict, string>> = { good: "ok  ", look: "look", bad: "BAD " };
    const lines = findings.map(({ check, verdict, message }) =>
      `${signs[verdict]}  ${check.padEnd(15)}  ${message}`
    );
    await print(lines.join("\n"));
  }
  return bad ? exitCodes.failed : exitCodes.done;
}

async function examine(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const scene: Scene = { config, holder: null };
  for (const [check, look] of Object.entries(checks)) {
    const [verdict, message] = await attempt(() => look(scene));
    findings.push({ check, verdict, message });
  }
  return findings;
}

async function attempt(look: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await look();
  } catch (error) {
    return ["bad", error instanceof Error ? error.message : String(error)];
  }
}

/** In order; a later one may use what an earlier one has put into the scene. */
const checks: Readonly<Record<string, (scene: Scene) => Outcome | Promise<Outcome>>> = {
  "data directory": ({ config: { data_dir } }) => {
    if (!existsSync(data_dir)) {
      accessSync(nearestFolder(data_dir), constants.W_OK);
      return ["good", `${data_dir} will be made at the first start`];
    }
    const probe = join(data_dir, `doctor-${process.pid}.tmp`);
    writeFileSync(probe, "");
    rmSync(probe);
    return ["good", `${data_dir} can be written`];
  },
  "format": ({ config: { data_dir } }) => {
    const format = formatOf(data_dir);
    return ["good", format === null ? "nothing there yet" : `${format}, this build: ${dataFormat}`];
  },
  "lock": (scene) => {
    const { data_dir } = scene.config;
    scene.holder = holderOf(data_dir);
    if (scene.holder === null) return ["good", "no server uses the data directory"];
    if (scene.holder === "unknown") return ["look", "a process that has not said its name has it"];
    const { pid, url, since } = scene.holder;
    return ["good", `process ${pid} serves it${url === null ? "" : ` at ${url}`} since ${since}`];
  },
  "disk": ({ config: { data_dir, disk_free_bytes_min } }) => {
    const { bavail, bsize } = statfsSync(nearestFolder(data_dir));
    const free = bavail * bsize;
    const shown = `${Math.floor(free / 1024 ** 2)} MiB free`;
    if (free < disk_free_bytes_min) {
      return ["bad", `${shown}, less than disk_free_bytes_min: ingestion answers 507. Make space.`];
    }
    return free < 10 * disk_free_bytes_min ? ["look", `${shown}: not much`] : ["good", shown];
  },
  "state": ({ config }) => {
    const path = statePath(config);
    const problem = checkState(path);
    if (problem !== null) {
      return ["bad", `${path} is damaged: ${problem}. Restore it from a backup.`];
    }
    return ["good", existsSync(path) ? `${path} is sound` : "none yet"];
  },
  "DuckDB": async ({ config: { cache_dir } }) => {
    const { DuckDBInstance, version } = await loadDuckDB(cache_dir);
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run("SELECT 1");
    connection.closeSync();
    instance.closeSync();
    return ["good", `${version()} loads and answers`];
  },
  "clock": () => {
    const now = new Date();
    return now.getTime() < earliest
      ? ["bad", `it is ${now.toISOString()}: events would be filed under a wrong day. Set it.`]
      : ["good", now.toISOString()];
  },
  "environment": () => {
    const found = ["BUN_OPTIONS", "BUN_BE_BUN", "BUN_INSPECT"].filter((name) => process.env[name]);
    return found.length === 0
      ? ["good", "no variable changes how the program runs"]
      : ["look", `${found.join(", ")} can run other code inside this program. Unset it.`];
  },
  "address": async ({ config, holder }) => {
    const asked = addressText(config.listen);
    const open = isLoopback(config.listen.host) ? "" : "; others reach it too, keys are required";
    if (holder !== null) return await ready(localUrl(config), asked);
    const problem = await cannotListen(config.listen);
    if (problem === null) return ["good", `${asked} is free${open}`];
    return problem === "EADDRINUSE"
      ? ["bad", `${asked} is in use by another program. Choose another with --listen.`]
      : ["bad", `Cannot listen on ${asked}: ${problem}.`];
  },
};

async function ready(url: string, asked: string): Promise<Outcome> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(readyMsMax) });
    await response.body?.cancel();
    return response.ok
      ? ["good", `${asked} answers: ready`]
      : ["bad", `${asked} answers ${response.status}: not ready. See its log.`];
  } catch {
    return ["look", `${asked} does not answer; the server may listen elsewhere`];
  }
}

/** An error code; null when the address is free. */
function cannotListen({ host, port }: Config["listen"]): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
}

/** The folder itself or, while there is none, the one it will be made in. */
function nearestFolder(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return nearestFolder(dirname(path));
  if (found.isDirectory()) return path;
  throw new DataDirError(`${path} is not a folder. Choose another with --data-dir.`);
}
