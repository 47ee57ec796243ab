// `watchllm sql` as a user runs it, over a data directory that no server holds.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Manifest } from "../../src/store/manifest.ts";
import { folders } from "../../src/store/store.ts";
import { type Fixture, makeFixture } from "../store/sandbox_fixture.ts";

let fixture: Fixture;
let temporary: string;

beforeAll(async () => {
  fixture = await makeFixture();
  temporary = fixture.work;
  const manifest = new Manifest(join(fixture.root, folders.manifest));
  const add = [...fixture.mine.files, fixture.otherFile].map((file) => ({
    path: relative(fixture.root, file),
    project_id: file === fixture.otherFile ? "other" : "mine",
    date: "2026-11-01",
    rows: 1,
    bytes: 1,
    min_timestamp: 0,
    max_timestamp: 0,
    sha256: "",
    level: 0,
  }));
  manifest.commit({ reason: "flush", add, remove: [], flushedThrough: 0 }, 0);
  manifest.close();
});

afterAll(() => fixture.remove());

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function watchllm(words: string[], input = ""): Promise<Outcome> {
  const main = join(import.meta.dir, "../../src/main.ts");
  const child = Bun.spawn([process.execPath, main, "sql", ...words], {
    env: { WATCHLLM_DATA_DIR: fixture.root, TMPDIR: temporary },
    cwd: fixture.root,
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

const ids = "SELECT event_id, tokens_input FROM events WHERE event_id < 'm3' ORDER BY 1";
const all = "SELECT string_agg(event_id, ' ' ORDER BY event_id) AS ids FROM events";

const answers: [name: string, words: string[], out: string][] = [
  [
    "a table",
    [ids],
    "event_id  tokens_input\n────────  ────────────\nm1                  10\nm2                  10\n",
  ],
  [
    "JSON",
    [ids, "--format", "json"],
    '[\n{"event_id":"m1","tokens_input":10},\n{"event_id":"m2","tokens_input":10}\n]\n',
  ],
  ["JSON without rows", [`${all} LIMIT 0`, "--format", "json"], "[]\n"],
  ["CSV", [ids, "--format", "csv"], "event_id,tokens_input\r\nm1,10\r\nm2,10\r\n"],
  ["all projects, lake and log", [all, "--format", "csv"], "ids\r\nm1 m2 m3 m4 m5 o1 o2 o3\r\n"],
  ["one project", [all, "--format", "csv", "--project", "other"], "ids\r\no1 o2 o3\r\n"],
];

test.each(answers)("answers with %s", async (_, words, out) => {
  expect(await watchllm(words)).toEqual({ code: 0, out, err: "" });
});

test("reads the query from standard input", async () => {
  expect((await watchllm(["-", "--format", "csv"], all)).out).toContain("m1 m2 m3");
});

test("writes Parquet", () => {
  const child = Bun.spawnSync(
    [
      process.execPath,
      join(import.meta.dir, "../../src/main.ts"),
      "sql",
      ids,
      "--format",
      "parquet",
    ],
    { env: { WATCHLLM_DATA_DIR: fixture.root, TMPDIR: temporary }, stderr: "inherit" },
  );
  expect(child.exitCode).toBe(0);
  expect(child.stdout.subarray(0, 4).toString()).toBe("PAR1");
  expect(child.stdout.subarray(-4).toString()).toBe("PAR1");
});

test("gives all rows, but a table of them only in part", async () => {
  const many = "SELECT range AS n FROM range(100000)";
  const csv = await watchllm([many, "--format", "csv"]);
  expect(csv.out.split("\r\n").length).toBe(100_002);
  const table = await watchllm([many]);
  expect(table.out.trimEnd().split("\n").length).toBe(1_002);
  expect(table.err).toContain("1,000 rows shown; there are more.");
}, 20_000);

const refusals: [name: string, words: string[], code: number, err: RegExp][] = [
  ["what is no SELECT", ["COPY events TO 'stolen.csv'"], 1, /single SELECT .* this is COPY/],
  ["files", ["SELECT * FROM read_text('/etc/passwd')"], 1, /read_text is not available/],
  ["bad SQL", ["SELEC 1"], 1, /syntax error at or near "SELEC"/],
  ["a directory without data", [all, "--data-dir", "nowhere"], 1, /nowhere holds no WatchLLM data/],
  [
    "a query beyond a limit that was asked for",
    ["SELECT sum(range) FROM range(1000000000000)", "--sql-timeout-s", "1"],
    1,
    /longer than 1 s/,
  ],
  ["an unknown format", [all, "--format", "xml"], 2, /must be one of/],
];

test.each(refusals)("refuses %s", async (_, words, code, err) => {
  const outcome = await watchllm(words);
  expect(outcome).toMatchObject({ code, out: "" });
  expect(outcome.err).toMatch(err);
  expect(existsSync(join(fixture.root, "stolen.csv"))).toBe(false);
}, 20_000);

test("leaves the directory as it was, and nothing behind", async () => {
  const log = readFileSync(fixture.segment);
  await watchllm([all]);
  await watchllm(["SELEC 1"]);
  expect(readFileSync(fixture.segment)).toEqual(log);
  expect(readdirSync(temporary)).toEqual([]);
});
