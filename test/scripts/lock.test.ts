// One builder at a time, and no builder's death blocks the next.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whileLocked } from "../../scripts/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "watchllm-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("two at once take turns", async () => {
  const path = join(folder, "turns.lock");
  const seen: string[] = [];
  const work = (name: string) => () => {
    seen.push(`${name} begins`);
    return Promise.resolve().then(() => seen.push(`${name} ends`));
  };
  await Promise.all([whileLocked(path, work("a")), whileLocked(path, work("b"))]);
  expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  expect(existsSync(path)).toBe(false);
});

test("a failure lets go", async () => {
  const path = join(folder, "failure.lock");
  await expect(whileLocked(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await whileLocked(path, () => "next")).toBe("next");
});

test("the lock of a dead process is taken over", async () => {
  const path = join(folder, "dead.lock");
  const dead = Bun.spawn([process.execPath, "-e", ""]);
  await dead.exited;
  writeFileSync(path, String(dead.pid));
  expect(await whileLocked(path, () => "taken")).toBe("taken");
});
