// What a hostile user may try, against the real child: refused or killed, nothing read, nothing
// written. The first wall is the gate, so most end there; the second, the locked database alone,
// is held by the table at the end.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { loadDuckDB } from "../../src/store/duckdb_library.ts";
import type { Sandbox } from "../../src/store/sandbox.ts";
import { lock, openDatabase } from "../../src/store/sandbox/database.ts";
import { explainError } from "../../src/store/sandbox/errors.ts";
import { sqlCharactersMax } from "../../src/store/sandbox/gate.ts";
import { takeStatement } from "../../src/store/sandbox/statement.ts";
import { viewOf } from "../../src/store/sandbox/view.ts";
import { ask, type Fixture, makeFixture, makeSandbox, secret } from "./sandbox_fixture.ts";

let fixture: Fixture;
let sandbox: Sandbox;
let link: string;

beforeAll(async () => {
  fixture = await makeFixture();
  link = join(fixture.root, "link.parquet");
  symlinkSync(fixture.otherFile, link);
  sandbox = makeSandbox(fixture, { spareIdleMs: 60_000 });
});

afterAll(async () => {
  await sandbox.close();
  fixture.remove();
});

/** `{…}` stand for paths that only the fixture knows. */
function withPaths(sql: string): string {
  const my = fixture.mine.files[0]!;
  return sql.replaceAll("{other}", fixture.otherFile)
    .replaceAll(
      "{climb}",
      join(my, "..").concat("/../../project_id=other/date=2026-11-01/a.parquet"),
    )
    .replaceAll("{link}", link)
    .replaceAll("{mine}", my)
    .replaceAll("{segment}", fixture.segment)
    .replaceAll("{root}", fixture.root);
}

const readers = [
  "read_csv",
  "read_csv_auto",
  "read_text",
  "read_blob",
  "read_json",
  "read_json_auto",
  "read_ndjson_objects",
  "read_parquet",
  "parquet_scan",
  "parquet_metadata",
  "parquet_schema",
  "parquet_kv_metadata",
  "glob",
  "sniff_csv",
  "read_duckdb",
];
const victims = [
  "/etc/passwd",
  "/proc/self/environ",
  "{other}",
  "{climb}",
  "{link}",
  "{segment}",
  "{root}/state.db",
  "{root}/events/*/*/*.parquet",
];

/** Tests at the same time wait for each other's children. */
const concurrentMs = 60_000;

/** Each against a child of its own. */
const attacks: string[] = [
  // Files.
  "SELECT * FROM read_csv('/etc/passwd')",
  "SELECT * FROM read_text('/proc/self/environ')",
  "SELECT * FROM read_blob('{segment}')",
  "SELECT * FROM read_parquet('{other}')",
  "SELECT * FROM read_parquet('{climb}')",
  "SELECT * FROM read_parquet('{link}')",
  "SELECT * FROM glob('{root}/**')",
  "SELECT * FROM sniff_csv('/etc/passwd')",
  "FROM '{other}'",
  "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
  "SELECT * FROM query_table('{other}')",
  // The server.
  "SELECT getenv('HOME')",
  "SELECT current_setting('allowed_paths')",
  "SELECT * FROM duckdb_settings()",
  // Writing.
  "COPY events TO '{root}/stolen.csv'",
  "COPY (SELECT 1) TO '{mine}' (FORMAT parquet, USE_TMP_FILE false)",
  "COPY recent FROM '/etc/passwd'",
  "EXPORT DATABASE '{root}/export'",
  "IMPORT DATABASE '{root}/events'",
  "ATTACH '{root}/new.db' AS x",
  "DETACH memory",
  "INSTALL httpfs",
  "LOAD '{root}/state.db'",
  "SET enable_external_access = true",
  "RESET lock_configuration",
  "PRAGMA enable_profiling",
  "CALL enable_logging(storage = 'stdout')",
  "CREATE OR REPLACE VIEW events AS SELECT 1",
  "CREATE MACRO m() AS TABLE SELECT * FROM read_text('/etc/passwd')",
  "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
  "INSERT INTO recent SELECT * FROM events RETURNING *",
  "UPDATE recent SET project_id = 'other'",
  "DELETE FROM recent",
  "DROP VIEW events",
  "PREPARE p AS SELECT 1",
  "EXECUTE p",
  "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/stolen.csv'",
  // More than one statement, and fewer.
  "SELECT 1; COPY events TO '{root}/stolen.csv'",
  "SELECT 1; -- one\nDROP VIEW events",
  "/* SELECT 1 */ COPY events TO '{root}/stolen.csv'",
  "SELECT 1;\u0000DROP VIEW events",
  "PIVOT events ON event_type USING count(*)",
  "",
  "/* open",
];

test.concurrent.each(attacks)("refuses %s", async (attack) => {
  const before = fixture.hashes();
  const { answer, text } = await ask(sandbox, { ...fixture.mine, sql: withPaths(attack) });
  if (answer.ok) throw new Error(`It was answered: ${text.slice(0, 200)}`);
  expect(answer.reason).toBeOneOf(["refused", "invalid"]);
  expect(text).toBe("");
  // What the attacker wrote may be quoted; what they did not know may not be told.
  expect(answer.message).not.toContain(secret);
  if (!attack.includes("{")) expect(answer.message).not.toContain(fixture.root);
  expect(fixture.hashes()).toEqual(before);
}, concurrentMs);

/** More of the same kinds, against the child's own gate and database, but in this process. */
const variations: string[] = [
  ...readers.map((reader) => `SELECT * FROM ${reader}('/etc/passwd')`),
  ...victims.flatMap((path) => [
    `SELECT * FROM read_text('${path}')`,
    `SELECT * FROM read_parquet('${path}')`,
    `FROM '${path}'`,
  ]),
  // The caller's own file too: the view is the only way, so that paths are never a user's business.
  "SELECT * FROM read_parquet('{mine}')",
  `FROM "/etc/passwd"`,
  "DESCRIBE '{other}'",
  "SUMMARIZE '{other}'",
  "SELECT (SELECT content FROM read_text('/etc/passwd'))",
  "SELECT * FROM events WHERE event_id IN (SELECT content FROM read_text('/etc/passwd'))",
  "SELECT * FROM events, LATERAL (SELECT * FROM read_text('/etc/passwd'))",
  "WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x",
  "WITH x AS MATERIALIZED (FROM '/etc/passwd') FROM x",
  "WITH RECURSIVE x AS (FROM '/etc/passwd' UNION ALL FROM x) FROM x",
  `WITH "/etc/passwd" AS (FROM "/etc/passwd") SELECT 1`,
  `SELECT (WITH "/etc/passwd" AS (SELECT 1) SELECT 1), * FROM "/etc/passwd"`,
  "SELECT 1 UNION ALL SELECT content FROM read_text('/etc/passwd')",
  "SELECT 1 ORDER BY (SELECT content FROM read_text('/etc/passwd'))",
  "SELECT 1 LIMIT (SELECT length(content) FROM read_text('/etc/passwd'))",
  "SELECT * FROM range((SELECT length(content) FROM read_text('/etc/passwd')))",
  "SELECT list_transform([1], x -> (SELECT content FROM read_text('/etc/passwd')))",
  "SELECT count(*) OVER (ORDER BY (SELECT content FROM read_text('/etc/passwd')))",
  "SELECT count(*) FILTER (WHERE (SELECT true FROM read_text('/etc/passwd')))",
  "SELECT * FROM events JOIN read_text('/etc/passwd') ON true",
  "SELECT * FROM (VALUES (1)) v, READ_TEXT('/etc/passwd')",
  "SELECT * FROM \"read_text\"('/etc/passwd')",
  "SELECT * FROM main.read_text('/etc/passwd')",
  "SELECT * FROM system.main.read_text('/etc/passwd')",
  "SELECT * FROM query_table(['{other}'])",
  "SELECT * FROM histogram('{other}', prompt)",
  "SELECT * FROM histogram_values('{other}', prompt)",
  "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''/etc/passwd'')'))",
  "SELECT json_serialize_plan('SELECT * FROM read_text(''/etc/passwd'')')",
  "SELECT * FROM sql_auto_complete('SELECT * FROM ''/etc/')",
  "SELECT Main.Current_Setting('allowed_paths')",
  "SELECT * FROM pg_settings",
  "SELECT * FROM pg_catalog.pg_settings",
  "WITH pg_settings AS (SELECT 1) SUMMARIZE pg_settings",
  "SELECT * FROM duckdb_views()",
  "SELECT * FROM duckdb_views",
  "SELECT * FROM sqlite_master",
  "SELECT * FROM information_schema.views",
  "SELECT * FROM duckdb_secrets()",
  "SELECT * FROM duckdb_logs()",
  "SELECT * FROM duckdb_external_file_cache()",
  "SELECT * FROM recent",
  `SELECT * FROM "main.events"`,
  "SELECT * FROM other.events",
  "PIVOT '{other}' ON event_type IN ('prompt_call') USING count(*)",
  "UNPIVOT '{other}' ON event_id INTO NAME n VALUE v",
  "COPY (SELECT 1) TO '{mine}'",
  "COPY (SELECT 1) TO '/dev/stdout'",
  "COPY FROM DATABASE memory TO memory",
  "ATTACH ':memory:' AS x",
  "ATTACH '{root}/state.db' AS x (TYPE sqlite)",
  "USE memory",
  "FORCE INSTALL httpfs FROM 'http://127.0.0.1:1'",
  "LOAD httpfs",
  "UPDATE EXTENSIONS",
  "SET GLOBAL allowed_paths = ['/etc/passwd']",
  "SET VARIABLE x = 1",
  "RESET ALL",
  "PRAGMA database_list",
  "PRAGMA version",
  "PRAGMA table_info('events')",
  "CALL pragma_version()",
  "CALL enable_logging()",
  "CALL enable_peg_parser()",
  "CREATE TABLE x AS SELECT 1",
  "CREATE TEMP TABLE x (a INT)",
  "CREATE MACRO m() AS 1",
  "CREATE SCHEMA s",
  "CREATE SEQUENCE q",
  "CREATE TYPE t AS ENUM ('a')",
  "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
  "INSERT INTO recent SELECT * FROM events",
  "WITH x AS (DELETE FROM recent RETURNING *) FROM x",
  "TRUNCATE recent",
  "MERGE INTO recent USING events ON true WHEN MATCHED THEN DELETE",
  "ALTER TABLE recent ADD COLUMN x INT",
  "COMMENT ON VIEW events IS 'x'",
  "DROP TABLE recent",
  "VACUUM",
  "ANALYZE",
  "CHECKPOINT",
  "BEGIN",
  "COMMIT",
  "ROLLBACK",
  "DEALLOCATE p",
  "EXPLAIN SELECT 1",
  "SELECT 1 INTO x",
  "SELECT write_log('x')",
  "SELECT nextval('q')",
  "SHOW DATABASES",
  "SHOW VARIABLES",
  "SELECT 1; SELECT 2",
  "SELECT 1 /* ; */; /* */ SET threads = 1",
  "SELECT ';'; SELECT 2",
  "SELECT $$;$$; SELECT 2",
  "-- SELECT 1\nCOPY events TO '{root}/stolen.csv'",
  "SELECT * FROM (PIVOT events ON event_type USING count(*))",
  " ; ",
  "-- nothing",
  "SELECT 'open",
  "SELECT ?",
  "SELECT $1",
  "SELECT $name",
];

test("refuses variations", async () => {
  const { api, connection } = await lockedDatabase();
  const before = fixture.hashes();
  for (const attack of variations) {
    const outcome = await takeStatement(api, connection, withPaths(attack)).then(
      (taken) => "reason" in taken ? taken.reason : `${attack} may run`,
      (error) => explainError(error).reason,
    );
    expect(outcome).toBeOneOf(["refused", "invalid"]);
  }
  expect(fixture.hashes()).toEqual(before);
});

/** The second wall: what the locked database refuses should the gate let something through. */
const pastTheGate: string[] = [
  ...readers.map((reader) => `SELECT * FROM ${reader}('/etc/passwd')`),
  ...victims.filter((path) => !path.includes("*")).map((path) =>
    `SELECT * FROM read_blob('${path}')`
  ),
  "SELECT * FROM '{other}'",
  "COPY events TO '{root}/stolen.csv'",
  "COPY recent FROM '/etc/passwd'",
  "EXPORT DATABASE '{root}/export'",
  "IMPORT DATABASE '{root}/events'",
  "ATTACH '{root}/new.db' AS x",
  "INSTALL httpfs",
  "LOAD httpfs",
  "LOAD '{root}/state.db'",
  "SET enable_external_access = true",
  "SET allowed_paths = ['/etc/passwd']",
  "SET temp_directory = '{root}'",
  "SET threads = 8",
  "RESET lock_configuration",
  "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
];

test("the locked database refuses by itself", async () => {
  const { connection } = await lockedDatabase();
  const before = fixture.hashes();
  for (const attack of pastTheGate) {
    const outcome = await connection.runAndReadAll(withPaths(attack)).then(
      (reader) => `${attack} gave ${JSON.stringify(reader.getRowsJson()).slice(0, 200)}`,
      () => "refused",
    );
    expect(outcome).toBe("refused");
  }
  const seen = await connection.runAndReadAll(
    "SELECT count(*), count(DISTINCT project_id) FROM events",
  );
  expect(seen.getRowsJson()).toEqual([["5", "1"]]);
  expect(fixture.hashes()).toEqual(before);
});

async function lockedDatabase() {
  const folder = mkdtempSync(join(fixture.work, "tail-"));
  const api = await loadDuckDB(join(fixture.root, "cache"));
  const connection = await openDatabase(api, { cacheDir: "", memoryLimit: "256MB", threads: 1 });
  const question = {
    ...fixture.mine,
    project_id: "mine",
    sql: "",
    format: "rows",
    rowsMax: null,
    bytesMax: null,
    deadlineMs: null,
  } as const;
  const { statements, readable } = await viewOf(question, folder);
  for (const statement of statements) await connection.run(statement);
  await lock(connection, readable);
  return { api, connection };
}

/** What an honest user writes and a gate may easily break. */
const honest: [sql: string, rows: string][] = [
  ["SELECT event_id FROM events ORDER BY event_id", '["m1"],\n["m2"],\n["m3"],\n["m4"],\n["m5"]'],
  ["SELECT DISTINCT project_id FROM memory.main.events", '["mine"]'],
  ["FROM events SELECT count(*) -- ; all of them", "[5]"],
  ['/* ; */ SELECT count(*) FROM "Events";', "[5]"],
  ["WITH e AS (FROM events), n AS (SELECT count(*) c FROM e) SELECT c FROM n", "[5]"],
  [
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t",
    "[6]",
  ],
  ["WITH events AS (SELECT 7 AS x) SELECT x FROM events", "[7]"],
  [
    "PIVOT events ON event_type IN ('prompt_call') USING count(*) GROUP BY project_id",
    '["mine",5]',
  ],
  ["SELECT list(t ORDER BY t) FROM (SELECT DISTINCT unnest(tags) t FROM events)", '[["a","b"]]'],
  ["SELECT r.range FROM range(2) r", "[0],\n[1]"],
  ["SELECT value FROM json_each('{\"a\":1}')", '["1"]'],
  ["SELECT column_name FROM (DESCRIBE events) LIMIT 1", '["event_id"]'],
  ["SELECT count(*) FROM information_schema.columns WHERE table_name = 'nothing'", "[0]"],
  ["SELECT list_transform([1, 2], lambda x: x * 2), [x for x in [1] if x > 0]", "[[2,4],[1]]"],
  ["SELECT min(timestamp) FROM events", '["2026-11-01T00:00:01.000123Z"]'],
  [
    "SELECT quantile_cont(tokens_input, 0.95) FILTER (WHERE status = 'success') FROM events",
    "[10]",
  ],
];

test.concurrent.each(honest)("answers %s", async (sql, rows) => {
  const { answer, text } = await ask(sandbox, { ...fixture.mine, sql });
  expect(answer).toMatchObject({ ok: true });
  expect(text).toBe(rows);
}, concurrentMs);

/** Killed, or stopped by DuckDB's own limits, at the deadline at the latest. */
const runaways: [name: string, sql: string][] = [
  [
    "an expression that no interrupt ends",
    "SELECT repeat('x', 1000000000) || repeat('y', 1000000000)",
  ],
  ["an endless aggregate", "SELECT sum(range) FROM range(1000000000000)"],
  [
    "an endless recursion",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
  ],
  [
    "endless rows that nobody counts",
    "SELECT count(*) FROM events a, range(1000000) b, range(1000000) c WHERE a.prompt || b.range || c.range = ''",
  ],
  ["a list larger than memory", "SELECT list(repeat('x', 10000) || range) FROM range(1000000)"],
  [
    "a sort larger than memory",
    "SELECT max(r) FROM (SELECT repeat(range::VARCHAR, 1000) r FROM range(10000000) ORDER BY r LIMIT 5000000)",
  ],
  ["a string larger than memory", "SELECT repeat(repeat('x', 10000), 1000000)"],
  ["sleep", "SELECT sleep_ms(100000)"],
];

const deadlineMs = 1_000;

test.each(runaways)("ends %s", async (_, sql) => {
  const started = performance.now();
  let parentAlive = 0;
  const timer = setInterval(() => parentAlive++, 10);
  const { answer } = await ask(sandbox, { ...fixture.mine, sql, deadlineMs });
  clearInterval(timer);
  if (answer.ok) throw new Error("It was answered.");
  expect(answer.reason).toBeOneOf(["timeout", "out_of_memory", "invalid"]);
  expect(performance.now() - started).toBeLessThan(deadlineMs + 8_500);
  expect(parentAlive).toBeGreaterThan(0);
}, 20_000);

/** Large or deep SQL: any answer will do that comes in time and leaves the parent alive. */
const bombs: [name: string, sql: string][] = [
  ["20,000 columns", `SELECT ${Array(20_000).fill("1").join(",")}`],
  ["deep parentheses", `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)}`],
  ["deep lists", `SELECT ${"[".repeat(20_000)}1${"]".repeat(20_000)}`],
  ["deep subqueries", `SELECT * FROM ${"(SELECT * FROM ".repeat(2_000)}events${")".repeat(2_000)}`],
  ["a long sum", `SELECT ${Array(20_000).fill("1").join("+")}`],
  ["many unions", Array(2_500).fill("SELECT 1").join(" UNION ALL ")],
  [
    "many tables",
    `SELECT count(*) FROM ${Array(300).fill("events").map((t, i) => `${t} e${i}`).join(",")}`,
  ],
  ["deep CASE", `SELECT ${"CASE WHEN 1=1 THEN ".repeat(1_800)}1${" END".repeat(1_800)}`],
  [
    "many common tables",
    `WITH ${Array.from({ length: 2_000 }, (_, i) => `t${i} AS (SELECT ${i})`).join(",")} SELECT 1`,
  ],
];

test.each(bombs)("survives %s", async (_, sql) => {
  const { answer } = await ask(sandbox, { ...fixture.mine, sql, deadlineMs: 2_000 });
  if (!answer.ok) expect(answer.reason).not.toBe("unavailable");
  expect((await ask(sandbox, { ...fixture.mine, sql: "SELECT 1" })).text).toBe("[1]");
}, 20_000);

test("refuses SQL that is too long", async () => {
  const sql = `SELECT '${"x".repeat(sqlCharactersMax)}'`;
  const { answer } = await ask(sandbox, { ...fixture.mine, sql });
  expect(answer).toMatchObject({ ok: false, reason: "refused" });
});
