// A Prometheus Alertmanager for the tests: the one of this machine, or Debian's package unpacked into
// the cache.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { root } from "./inputs.ts";
import { whileLocked } from "./lock.ts";

const folder = join(root, "node_modules/.cache/alertmanager");
const program = join(folder, "usr/bin/prometheus-alertmanager");
const packageName = "prometheus-alertmanager";
/** Where Debian's build looks for its templates, installed or not. */
const templates = "/usr/share/prometheus/alertmanager";

export interface Alertmanager {
  path: string;
  /** Where it is to be started. */
  cwd: string;
}

/** Null where there is none to be had. */
export async function testAlertmanager(): Promise<Alertmanager | null> {
  const installed = Bun.which("prometheus-alertmanager") ?? Bun.which("alertmanager");
  if (installed !== null) return { path: installed, cwd: root };
  if (Bun.which("apt-get") === null || Bun.which("dpkg") === null) return null;
  return await whileLocked(join(root, "node_modules/.cache/alertmanager.lock"), () => {
    const unpacked = { path: program, cwd: join(folder, templates) };
    if (existsSync(program)) return unpacked;
    const draft = `${folder}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    if (!run(["apt-get", "download", packageName], draft)) return null;
    const file = readdirSync(draft).find((name) => name.endsWith(".deb"));
    if (file === undefined || !run(["dpkg", "-x", file, "."], draft)) return null;
    lookHere(join(draft, "usr/bin/prometheus-alertmanager"));
    renameSync(draft, folder);
    return unpacked;
  });
}

/** A package that is only unpacked has its templates elsewhere: the path becomes one of the folder. */
function lookHere(path: string): void {
  const bytes = readFileSync(path);
  const here = Buffer.from(`.${"/".repeat(templates.length - 1)}`);
  for (let at = bytes.indexOf(templates); at !== -1; at = bytes.indexOf(templates, at)) {
    bytes.set(here, at);
  }
  writeFileSync(path, bytes, { mode: 0o755 });
}

function run(command: string[], cwd: string): boolean {
  return Bun.spawnSync(command, { cwd, stdout: "ignore", stderr: "ignore" }).success;
}
