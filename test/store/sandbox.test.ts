// The sandbox from outside: what a question gets, in each format, and when its child ends.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadDuckDB } from "../../src/store/duckdb_library.ts";
import type { Sandbox } from "../../src/store/sandbox.ts";
import { ask, type Fixture, makeFixture, makeSandbox, secret } from "./sandbox_fixture.ts";

let fixture: Fixture;
let sandbox: Sandbox;

beforeAll(async () => {
  fixture = await makeFixture();
  sandbox = makeSandbox(fixture);
});

afterAll(async () => {
  await sandbox.close();
  fixture.remove();
});

const nothing = { files: [], segments: [] };
const ids = "SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM events";
/** Runs until it is killed. */
const endless = "SELECT sum(range) FROM range(1000000000000)";

test("a project sees its own events in the lake and in the tail, whole commits only", async () => {
  const { answer, text } = await ask(sandbox, { ...fixture.mine, sql: ids });
  expect(answer).toMatchObject({ ok: true, row_count: 1, truncated: false });
  expect(text).toBe('["m1 m2 m3 m4 m5"]');
});

test("the segment of a running write is left as it is", async () => {
  const before = fixture.hashes();
  await ask(sandbox, { ...fixture.mine, sql: ids });
  expect(fixture.hashes()).toEqual(before);
});

test("the other project sees only its own", async () => {
  const question = { ...fixture.mine, files: [fixture.otherFile], project_id: "other", sql: ids };
  expect((await ask(sandbox, question)).text).toBe('["o1 o2 o3"]');
});

test("a file of another project, named by mistake, shows nothing", async () => {
  const { text } = await ask(sandbox, { ...nothing, files: [fixture.otherFile], sql: ids });
  expect(text).toBe("[null]");
});

test("without a project all are seen", async () => {
  const files = [...fixture.mine.files, fixture.otherFile];
  const { text } = await ask(sandbox, { ...fixture.mine, files, project_id: null, sql: ids });
  expect(text).toBe('["m1 m2 m3 m4 m5 o1 o2 o3"]');
});

test("without events every column is there", async () => {
  const sql = "SELECT count(*), count(tokens_input), list(tags) FROM events";
  expect((await ask(sandbox, { ...nothing, sql })).text).toBe("[0,0,null]");
});

test("a project's name cannot leave its quotes", async () => {
  const project_id = "x' OR '1'='1";
  expect((await ask(sandbox, { ...fixture.mine, project_id, sql: ids })).text).toBe("[null]");
});

test("columns of older files are null", async () => {
  const file = join(fixture.root, "old.parquet");
  const { DuckDBInstance } = await loadDuckDB(join(fixture.root, "cache"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(
    `COPY (SELECT 'old' AS event_id, 'mine' AS project_id) TO '${file}' ` +
      "(FORMAT parquet, FIELD_IDS {event_id: 1, project_id: 2})",
  );
  const sql = "SELECT event_id, model FROM events ORDER BY event_id DESC LIMIT 1";
  const files = [file, ...fixture.mine.files];
  expect((await ask(sandbox, { ...nothing, files, sql })).text).toBe('["old",null]');
  rmSync(file);
});

const twoRows =
  "SELECT event_id, tags, NULL AS n, '' AS e, 'a,\"b' AS q FROM events ORDER BY 1 LIMIT 2";

test("rows are JSON arrays, and columns have types", async () => {
  const { answer, text } = await ask(sandbox, { ...fixture.mine, sql: twoRows });
  expect(text).toBe('["m1",["a","b"],null,"","a,\\"b"],\n["m2",["a","b"],null,"","a,\\"b"]');
  if (!answer.ok) throw new Error(answer.message);
  expect(answer.columns.slice(0, 2)).toEqual([
    { name: "event_id", type: "VARCHAR" },
    { name: "tags", type: "VARCHAR[]" },
  ]);
});

test("objects are JSON objects, and a name that comes twice is told apart", async () => {
  const { text } = await ask(sandbox, { ...nothing, format: "objects", sql: "SELECT 1 a, 2 a" });
  expect(text).toBe('{"a":1,"a:1":2}');
});

test("CSV follows RFC 4180 and tells NULL from empty text", async () => {
  const { text } = await ask(sandbox, { ...fixture.mine, format: "csv", sql: twoRows });
  const row = (id: string) => `${id},"[""a"",""b""]",,"","a,""b"\r\n`;
  expect(text).toBe(`event_id,tags,n,e,q\r\n${row("m1")}${row("m2")}`);
});

test("Parquet is read by another DuckDB with the same types", async () => {
  const sql = "SELECT event_id, timestamp, tags, 1 AS a, 2 AS A, 1.50::DECIMAL(9, 2) AS d, " +
    "{'x y': DATE '2026-01-01'} AS s FROM events ORDER BY event_id";
  const { answer, bytes } = await ask(sandbox, { ...fixture.mine, format: "parquet", sql });
  expect(answer).toMatchObject({ ok: true, row_count: 5, truncated: false });
  const file = join(fixture.root, "answer.parquet");
  writeFileSync(file, bytes);
  const { DuckDBInstance } = await loadDuckDB(join(fixture.root, "cache"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const reader = await connection.runAndReadAll(`SELECT * FROM '${file}'`);
  rmSync(file);
  expect(reader.columnTypes().map(String)).toEqual([
    "VARCHAR",
    "TIMESTAMP WITH TIME ZONE",
    "VARCHAR[]",
    "INTEGER",
    "INTEGER",
    "DECIMAL(9,2)",
    'STRUCT("x y" DATE)',
  ]);
  expect(reader.currentRowCount).toBe(5);
});

/** Names and types are all that the second database takes from the user. */
test.each([
  `SELECT 1 AS "a"" INT); COPY (SELECT 1) TO '{file}'; --"`,
  `SELECT {'a" INT)); COPY (SELECT 1) TO ''{file}''; --': 1} AS s`,
  `SELECT 'x'::ENUM('x', 'y'')); COPY (SELECT 1) TO ''{file}''; --') AS e`,
])("Parquet writes nothing but the answer: %s", async (attack) => {
  const file = join(fixture.root, "stolen.csv");
  const before = fixture.hashes();
  const sql = attack.replaceAll("{file}", file);
  await ask(sandbox, { ...fixture.mine, format: "parquet", sql });
  expect(fixture.hashes()).toEqual(before);
});

const caps: [name: string, caps: object, told: object][] = [
  ["exactly the rows allowed", { rowsMax: 5 }, { row_count: 5, truncated: false }],
  ["more rows than allowed", { rowsMax: 4 }, { row_count: 4, truncated: true }],
  ["no bounds", { rowsMax: null, bytesMax: null }, { row_count: 5, truncated: false }],
  ["more bytes than allowed", { bytesMax: 15 }, { row_count: 2, truncated: true }],
  ["a first row that is too long", { bytesMax: 3 }, { row_count: 0, truncated: true }],
  ["rows of CSV", { rowsMax: 4, format: "csv" }, { row_count: 4, truncated: true }],
  ["rows of Parquet", { rowsMax: 4, format: "parquet" }, { row_count: 4, truncated: true }],
];

test.each(caps)("caps: %s", async (_, caps, told) => {
  const sql = "SELECT event_id FROM events ORDER BY event_id";
  const { answer } = await ask(sandbox, { ...fixture.mine, sql, ...caps });
  expect(answer).toMatchObject({ ok: true, ...told });
});

test("bytes of Parquet are bounded in memory", async () => {
  const sql = "SELECT range, hash(range)::VARCHAR || hash(range + 1) AS h FROM range(2000000)";
  const question = { ...nothing, sql, format: "parquet", rowsMax: null } as const;
  const { answer } = await ask(sandbox, question);
  expect(answer).toMatchObject({ ok: true, truncated: true });
});

test("a large answer arrives whole", async () => {
  const sql = "SELECT range, repeat('x', 1000) AS x FROM range(20000)";
  const question = { ...nothing, sql, rowsMax: null, bytesMax: null };
  const { answer, text } = await ask(sandbox, question);
  expect(answer).toMatchObject({ ok: true, row_count: 20_000 });
  const rows = JSON.parse(`[${text}]`) as [number, string][];
  expect(rows.length).toBe(20_000);
  expect(rows.every(([number, x], at) => number === at && x.length === 1000)).toBe(true);
});

const mistakes: [sql: string, reason: string, message: RegExp][] = [
  ["SELEC 1", "invalid", /^Parser Error: syntax error at or near "SELEC"/],
  ["SELECT nothing FROM events", "invalid", /^Binder Error: .*"nothing" not found/],
  ["SELECT 'x'::INT", "invalid", /^Conversion Error: /],
  [
    "SELECT * FROM event",
    "refused",
    /no table "event" here\. .* in the views "events" and "metrics"/,
  ],
  ["COPY events TO 'x'", "refused", /^Only a single SELECT .* this is COPY\.$/],
  ["SELECT row(1, 2)", "refused", /Name its parts/],
  ["SELECT list(repeat('x', 10000) || range) FROM range(1000000)", "out_of_memory", /more memory/],
];

test.each(mistakes)("explains %s", async (sql, reason, message) => {
  const { answer } = await ask(sandbox, { ...fixture.mine, sql });
  expect(answer).toMatchObject({ ok: false, reason });
  if (!answer.ok) expect(answer.message).toMatch(message);
});

test("damaged data is ours to repair, and its place is not told", async () => {
  const file = join(fixture.root, "damaged.parquet");
  const whole = readFileSync(fixture.mine.files[0]!);
  whole.fill(0, 4, whole.length / 2);
  writeFileSync(file, whole);
  const sql = "SELECT * FROM events";
  const damaged = await ask(sandbox, { ...nothing, files: [file], sql });
  rmSync(file);
  const missing = await ask(sandbox, { ...nothing, files: [file], sql });
  const segments = [{ path: file, bytes: 1, points: 0 }];
  const lost = await ask(sandbox, { ...nothing, segments, sql });
  expect(missing.answer).toMatchObject({ ok: false, reason: "unavailable" });
  expect(lost.answer).toMatchObject({ ok: false, reason: "unavailable" });
  for (const { answer } of [damaged, missing, lost]) {
    if (answer.ok) throw new Error("It was answered.");
    expect(answer.message).not.toContain(fixture.root);
  }
});

test("nothing is left of a question", async () => {
  const own = makeSandbox(fixture);
  await ask(own, { ...fixture.mine, format: "parquet", sql: "SELECT * FROM events" });
  await ask(own, { ...fixture.mine, sql: endless, deadlineMs: 500 });
  await own.close();
  expect(readdirSync(fixture.work)).toEqual([]);
  expect(await childrenOf(process.pid)).toEqual([]);
});

test("the sink's error is the caller's", async () => {
  const own = makeSandbox(fixture);
  const question = { ...nothing, sql: "SELECT 1", project_id: null, format: "rows" } as const;
  const bounds = { rowsMax: 1, bytesMax: 100, deadlineMs: 10_000 };
  const asked = own.ask({ ...question, ...bounds }, () => {
    throw new Error("disk full");
  });
  expect(asked).rejects.toThrow("disk full");
  await asked.catch(() => {});
  await own.close();
});

test("a question too many is told so", async () => {
  const own = makeSandbox(fixture, { childrenMax: 1, waitingMax: 1, waitMsMax: 50 });
  const abort = new AbortController();
  const first = ask(own, { ...nothing, sql: endless }, abort.signal);
  const second = ask(own, { ...nothing, sql: "SELECT 1" });
  const third = await ask(own, { ...nothing, sql: "SELECT 1" });
  expect(third.answer).toMatchObject({ ok: false, reason: "busy" });
  expect((await second).answer).toMatchObject({ ok: false, reason: "busy" });
  abort.abort();
  expect((await first).answer).toMatchObject({ ok: false, reason: "aborted" });
  expect((await ask(own, { ...nothing, sql: "SELECT 1" })).text).toBe("[1]");
  await own.close();
});

test("a question that waits is answered when its turn comes", async () => {
  const own = makeSandbox(fixture, { childrenMax: 1 });
  const answers = await Promise.all(
    [1, 2, 3].map((number) => ask(own, { ...nothing, sql: `SELECT ${number}` })),
  );
  expect(answers.map(({ text }) => text)).toEqual(["[1]", "[2]", "[3]"]);
  await own.close();
});

test("closing answers what is under way", async () => {
  const own = makeSandbox(fixture, { childrenMax: 1 });
  const running = ask(own, { ...nothing, sql: endless });
  const waiting = ask(own, { ...nothing, sql: "SELECT 1" });
  await own.close();
  expect((await running).answer.ok).toBe(false);
  expect((await waiting).answer).toMatchObject({ ok: false, reason: "unavailable" });
  expect((await ask(own, { ...nothing, sql: "SELECT 1" })).answer.ok).toBe(false);
});

test("a child that cannot start is not the user's mistake", async () => {
  for (const command of [["/nonexistent/program"], [process.execPath, "-e", "process.exit(3)"]]) {
    const own = makeSandbox(fixture, { command });
    const { answer } = await ask(own, { ...nothing, sql: "SELECT 1" });
    expect(answer).toMatchObject({ ok: false, reason: "unavailable" });
    await own.close();
  }
});

test("a spare child takes the next question, and ends when nobody asks", async () => {
  const own = makeSandbox(fixture, { spareIdleMs: 400 });
  await ask(own, { ...nothing, sql: "SELECT 1" });
  await until(async () => (await childrenOf(process.pid)).length === 1);
  const [spare] = await childrenOf(process.pid);
  const asked = ask(own, { ...nothing, sql: endless, deadlineMs: 200 });
  await Promise.resolve();
  expect(await childrenOf(process.pid)).toContain(spare!);
  await asked;
  await until(async () => (await childrenOf(process.pid)).length === 0);
  await own.close();
});

const linux = process.platform === "linux";

test.if(linux)("when the caller goes away the child is killed", async () => {
  const abort = new AbortController();
  const asked = ask(sandbox, { ...nothing, sql: endless }, abort.signal);
  await until(async () => (await childrenOf(process.pid)).length > 0);
  abort.abort();
  expect((await asked).answer).toMatchObject({ ok: false, reason: "aborted" });
  await until(async () => (await childrenOf(process.pid)).length === 0);
});

test.if(linux)("when the parent dies its child does too", async () => {
  const script = join(fixture.root, "parent.ts");
  const source = join(import.meta.dir, "../../src/store/sandbox.ts");
  const options = {
    cacheDir: join(fixture.root, "cache"),
    temporaryDir: fixture.work,
    memoryLimit: "256MB",
    threads: 1,
    childrenMax: 1,
    waitingMax: 0,
    waitMsMax: 0,
    spareIdleMs: 0,
  };
  const question = {
    ...fixture.mine,
    project_id: "mine",
    sql: endless,
    format: "rows",
    rowsMax: null,
    bytesMax: null,
    deadlineMs: null,
  };
  writeFileSync(
    script,
    `import { Sandbox } from ${JSON.stringify(source)};
     new Sandbox(${JSON.stringify(options)}).ask(${JSON.stringify(question)}, () => {});`,
  );
  const parent = spawn(process.execPath, [script], { stdio: "ignore" });
  await until(async () => (await childrenOf(parent.pid!)).length === 1);
  // The folder shows that the question has reached the child.
  await until(() => readdirSync(fixture.work).length === 1);
  const [child] = await childrenOf(parent.pid!);
  parent.kill("SIGKILL");
  await until(() => !isAlive(child!));
  rmSync(script);
  for (const left of readdirSync(fixture.work)) {
    rmSync(join(fixture.work, left), { recursive: true });
  }
});

test.if(linux)("a child knows no variable of the server", async () => {
  const own = makeSandbox(fixture);
  process.env.WATCHLLM_TEST_SECRET = secret;
  const asked = ask(own, { ...nothing, sql: endless, deadlineMs: 2_000 });
  await until(async () => (await childrenOf(process.pid)).length === 1);
  const [child] = await childrenOf(process.pid);
  expect(readFileSync(`/proc/${child}/environ`, "utf8")).not.toContain(secret);
  delete process.env.WATCHLLM_TEST_SECRET;
  await own.close();
  await asked;
});

/** Living children of a process, by /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = await Bun.file(path).text().catch(() => "");
  return text.split(" ").filter((word) => word !== "").map(Number).filter(isAlive);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error("It did not happen in time.");
    await Bun.sleep(10);
  }
}
