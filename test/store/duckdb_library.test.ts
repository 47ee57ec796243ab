// Staging of the native files: what ends up on disk is what the binary carries, whatever lay there.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { EmbeddedFile } from "../../src/embedded.ts";
import { hint, loadDuckDB, stage } from "../../src/store/duckdb_library.ts";

let scratch: string;
let cache: string;
let files: EmbeddedFile[];
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "watchllm-stage-"));
  cache = join(scratch, "cache");
  mkdirSync(join(scratch, "carried"));
  files = [carried("duckdb.node", 5000), carried("libduckdb.so", 3 * 1024 * 1024 + 7)];
});
afterEach(() => rmSync(scratch, { recursive: true }));

function carried(name: string, size: number): EmbeddedFile {
  const content = Buffer.alloc(size, name);
  const path = join(scratch, "carried", name);
  writeFileSync(path, content);
  return { name, path, bytes: size, sha256: createHash("sha256").update(content).digest("hex") };
}

const permissions = (path: string) => (statSync(path).mode & 0o777).toString(8);

function expectWhole(folder: string): void {
  expect(permissions(folder)).toBe("700");
  expect(readdirSync(folder).sort()).toEqual(["duckdb.node", "libduckdb.so"]);
  for (const { name, path } of files) {
    const staged = join(folder, name);
    expect(lstatSync(staged).isFile()).toBe(true);
    expect(permissions(staged)).toBe("500");
    expect(readFileSync(staged).equals(readFileSync(path))).toBe(true);
  }
}

test("a first start writes the files, a second leaves them alone", async () => {
  const folder = await stage(cache, files);
  expectWhole(folder);
  expect(permissions(cache)).toBe("700");
  const inodes = () => files.map(({ name }) => statSync(join(folder, name)).ino);
  const before = inodes();
  expect(await stage(cache, files)).toBe(folder);
  expect(inodes()).toEqual(before);
});

test("another build gets another folder", async () => {
  const folder = await stage(cache, files);
  expect(await stage(cache, [carried("duckdb.node", 5001), files[1]!])).not.toBe(folder);
});

test("two starts at once end with whole files", async () => {
  const [one, two] = await Promise.all([stage(cache, files), stage(cache, files)]);
  expect(one).toBe(two);
  expectWhole(one);
});

describe("what lies there is replaced:", () => {
  const planted: [what: string, plant: (library: string) => void][] = [
    ["another file of another length", (path) => replaceBy(path, "evil")],
    ["another file of the same length", (path) => replaceBy(path, "E".repeat(files[1]!.bytes))],
    ["one changed byte", (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 1]! ^= 1;
      replaceBy(path, bytes);
    }],
    ["the first half of a write", (path) => replaceBy(path, readFileSync(path).subarray(0, 9999))],
    ["an empty file", (path) => replaceBy(path, "")],
    ["the right bytes, writable by others", (path) => chmodSync(path, 0o777)],
    ["a link to the right bytes", (path) => {
      rmSync(path);
      symlinkSync(files[1]!.path, path);
    }],
    ["a link into nowhere", (path) => {
      rmSync(path);
      symlinkSync("/nonexistent/library", path);
    }],
    ["a folder", (path) => {
      rmSync(path);
      mkdirSync(join(path, "deep"), { recursive: true });
    }],
    ["nothing", (path) => rmSync(path)],
    ["a folder open to all", (path) => chmodSync(dirname(path), 0o777)],
    ["a link in place of the whole folder", (path) => {
      const folder = dirname(path);
      rmSync(folder, { recursive: true });
      mkdirSync(join(scratch, "elsewhere"));
      symlinkSync(join(scratch, "elsewhere"), folder);
    }],
  ];
  test.each(planted)("%s", async (_what, plant) => {
    const folder = await stage(cache, files);
    plant(join(folder, "libduckdb.so"));
    expect(await stage(cache, files)).toBe(folder);
    expect(lstatSync(folder).isDirectory()).toBe(true);
    expectWhole(folder);
    // What a link pointed to is not ours to change.
    expect(readFileSync(files[1]!.path).length).toBe(files[1]!.bytes);
  });
});

function replaceBy(path: string, content: string | Uint8Array): void {
  rmSync(path);
  writeFileSync(path, content, { mode: 0o500 });
}

test.skipIf(process.getuid?.() !== 0)("a folder of another user is refused", async () => {
  const folder = await stage(cache, files);
  chownSync(folder, 12345, 12345);
  await expect(stage(cache, files)).rejects.toThrow("belongs to user 12345");
});

test("a place that cannot be written is named, with the way out", async () => {
  writeFileSync(cache, "a file where the folder should be");
  await expect(stage(cache, files)).rejects.toThrow(
    `Cannot store DuckDB's library in ${cache}: `,
  );
  await expect(stage(cache, files)).rejects.toThrow("Set WATCHLLM_CACHE_DIR");
});

describe("a refusal of the loader is explained:", () => {
  const cases: [reason: string, expected: string][] = [
    ["libduckdb.so: failed to map segment from shared object", "noexec"],
    ["/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.25' not found", "too old"],
    ["libstdc++.so.6: cannot open shared object file: No such file", "libstdc++"],
    ["something else", "something else"],
  ];
  test.each(cases)("%s", (reason, expected) => {
    expect(hint(reason)).toContain(expected);
    expect(hint(reason)).toContain(reason);
  });
});

test("from source the library comes from node_modules", async () => {
  const { version } = await loadDuckDB(cache);
  expect(version()).toBe("v1.5.5");
  expect(() => statSync(cache)).toThrow();
});
