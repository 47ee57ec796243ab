// One builder at a time: several test files and several terminals may want the same output.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const waitMsMax = 5 * 60_000;
const pollMs = 100;

/** Runs the work while holding the lock file; takes over the lock of a process that is gone. */
export async function whileLocked<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const deadline = performance.now() + waitMsMax;
  while (!take(path)) {
    if (performance.now() > deadline) {
      throw new Error(`${path} is held by a process that does not end. Remove it to go on.`);
    }
    await Bun.sleep(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  // Two that find the same dead holder may both get in: whoever works under a lock writes drafts of
  // its own and renames them, so that costs time and nothing else.
  if (!isAlive(holderOf(path))) rmSync(path, { force: true });
  return false;
}

function holderOf(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8")) || null;
  } catch {
    return null;
  }
}

function isAlive(pid: number | null): boolean {
  // Just created and not yet written, or just removed: ask again.
  if (pid === null) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
