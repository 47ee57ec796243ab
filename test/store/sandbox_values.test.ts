// How every type of DuckDB reads in JSON and CSV.
import { beforeAll, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { loadDuckDB } from "../../src/store/duckdb_library.ts";
import { bytesOf, encodeHeader, FrameReader, type Job } from "../../src/store/sandbox/frames.ts";
import { writeText } from "../../src/store/sandbox/text.ts";

type Api = typeof import("@duckdb/node-api");

let api: Api;
let connection: DuckDBConnection;

beforeAll(async () => {
  api = await loadDuckDB(join(tmpdir(), "watchllm-test-cache"));
  connection = await (await api.DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");
});

const values: [sql: string, json: string, csv: string][] = [
  ["NULL", "null", ""],
  ["true", "true", "true"],
  ["9007199254740991", "9007199254740991", "9007199254740991"],
  ["9007199254740993", '"9007199254740993"', "9007199254740993"],
  ["(-9007199254740993)::BIGINT", '"-9007199254740993"', "-9007199254740993"],
  ["18446744073709551615::UBIGINT", '"18446744073709551615"', "18446744073709551615"],
  ["5::HUGEINT", "5", "5"],
  [
    "170141183460469231731687303715884105727",
    '"170141183460469231731687303715884105727"',
    "170141183460469231731687303715884105727",
  ],
  ["1.10::DECIMAL(9, 2)", "1.1", "1.1"],
  ["-0.005::DECIMAL(9, 3)", "-0.005", "-0.005"],
  ["123456789012345.6::DECIMAL(38, 1)", '"123456789012345.6"', "123456789012345.6"],
  ["0.1::FLOAT", "0.1", "0.1"],
  ["0.1::DOUBLE + 0.2::DOUBLE", "0.30000000000000004", "0.30000000000000004"],
  ["'NaN'::DOUBLE", '"NaN"', "NaN"],
  ["'-Infinity'::DOUBLE", '"-Infinity"', "-Infinity"],
  [
    "TIMESTAMPTZ '2026-11-01 01:02:03.000456+01'",
    '"2026-11-01T00:02:03.000456Z"',
    "2026-11-01T00:02:03.000456Z",
  ],
  [
    "TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'",
    '"1969-12-31T23:59:59.999999Z"',
    "1969-12-31T23:59:59.999999Z",
  ],
  ["TIMESTAMP '2026-11-01 01:02:03'", '"2026-11-01T01:02:03.000000"', "2026-11-01T01:02:03.000000"],
  [
    "TIMESTAMP_S '2026-11-01 01:02:03'",
    '"2026-11-01T01:02:03.000000"',
    "2026-11-01T01:02:03.000000",
  ],
  [
    "TIMESTAMP_MS '2026-11-01 01:02:03.004'",
    '"2026-11-01T01:02:03.004000"',
    "2026-11-01T01:02:03.004000",
  ],
  [
    "TIMESTAMP_NS '2026-11-01 01:02:03.000000004'",
    '"2026-11-01T01:02:03.000000004"',
    "2026-11-01T01:02:03.000000004",
  ],
  ["'infinity'::TIMESTAMP", '"infinity"', "infinity"],
  ["'-infinity'::TIMESTAMPTZ", '"-infinity"', "-infinity"],
  [
    "TIMESTAMP '0044-03-15 (BC) 12:00:00'",
    '"0044-03-15 (BC) 12:00:00"',
    "0044-03-15 (BC) 12:00:00",
  ],
  ["DATE '2026-11-01'", '"2026-11-01"', "2026-11-01"],
  ["TIME '01:02:03.5'", '"01:02:03.5"', "01:02:03.5"],
  ["INTERVAL '1 month 2 days'", '"1 month 2 days"', "1 month 2 days"],
  [
    "'6f1d8c1e-0f5e-4c57-9b6a-0d3c5d8f7a11'::UUID",
    '"6f1d8c1e-0f5e-4c57-9b6a-0d3c5d8f7a11"',
    "6f1d8c1e-0f5e-4c57-9b6a-0d3c5d8f7a11",
  ],
  ["'\\x00\\xFF'::BLOB", '"AP8="', "AP8="],
  ["'101'::BIT", '"101"', "101"],
  ["'b'::ENUM('a', 'b')", '"b"', "b"],
  ["'{\"a\": 1}'::JSON", '"{\\"a\\": 1}"', '"{""a"": 1}"'],
  ["[1, NULL]", "[1,null]", '"[1,null]"'],
  ["[1, 2]::INT[2]", "[1,2]", '"[1,2]"'],
  ["[]::INT[]", "[]", "[]"],
  [
    "{'a': 1, 'b': {'c': DATE '2026-01-01'}}",
    '{"a":1,"b":{"c":"2026-01-01"}}',
    '"{""a"":1,""b"":{""c"":""2026-01-01""}}"',
  ],
  ["MAP {'k': 1}", '{"k":1}', '"{""k"":1}"'],
  ["MAP {7: 1}", '{"7":1}', '"{""7"":1}"'],
  ["union_value(k := 5)", "5", "5"],
  ["'plain'", '"plain"', "plain"],
  ["''", '""', '""'],
  ["'a\"b'", '"a\\"b"', '"a""b"'],
  ["'a,b'", '"a,b"', '"a,b"'],
  ["E'a\\r\\nb'", '"a\\r\\nb"', '"a\r\nb"'],
  ["' a'", '" a"', '" a"'],
  // Not guarded: changed data would be wrong everywhere but in a spreadsheet.
  ["'=1+1'", '"=1+1"', "=1+1"],
  ["'ünï 😀'", '"ünï 😀"', "ünï 😀"],
];

async function write(sql: string, format: "rows" | "csv"): Promise<string> {
  const job: Job = {
    statements: [],
    readable: [],
    sql,
    format,
    rowsMax: null,
    bytesMax: null,
    folder: "",
  };
  let text = "";
  await writeText(
    api,
    await connection.stream(`SELECT ${sql} AS v`),
    job,
    (piece) => text += piece,
  );
  return text;
}

test.each(values)("%s", async (sql, json, csv) => {
  expect(await write(sql, "rows")).toBe(`[${json}]`);
  expect(await write(sql, "csv")).toBe(`v\r\n${csv}\r\n`);
});

test("frames arrive whole, however the pipe cuts them", () => {
  const sent = [["columns", "[]"], ["data", "x".repeat(300)], ["data", ""], ["end", "{}"]] as const;
  const bytes = Buffer.concat(
    sent.flatMap(([kind, body]) => [encodeHeader(kind, body.length), Buffer.from(body)]),
  );
  for (const size of [1, 2, 5, 7, 100, bytes.length]) {
    const reader = new FrameReader();
    const seen: [string, string][] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const frame of reader.push(bytes.subarray(at, at + size))) {
        seen.push([frame.kind, frame.body.toString()]);
      }
    }
    expect(seen).toEqual(sent.map(([kind, body]) => [kind, body]));
  }
});

test("what is no frame is not waited for", () => {
  const reader = new FrameReader();
  expect(() => [...reader.push(Buffer.from("no frame at all"))]).toThrow("Malformed frame");
});

test.each([["512MB", 512e6], ["1.5GiB", 1.5 * 1024 ** 3], ["100B", 100], ["64 kb", 64_000]])(
  "%s of memory",
  (text, bytes) => expect(bytesOf(text)).toBe(bytes),
);
