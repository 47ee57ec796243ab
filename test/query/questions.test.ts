// Every SQL file under queries/: prepared by the real DuckDB, and held to the types of its question.
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import * as alerts from "../../src/query/alerts.ts";
import * as events from "../../src/query/events.ts";
import * as facets from "../../src/query/facets.ts";
import { filterFields, setFilter } from "../../src/query/filter.ts";
import * as issues from "../../src/query/issues.ts";
import * as metrics from "../../src/query/metrics.ts";
import * as points from "../../src/query/points.ts";
import * as prices from "../../src/query/prices.ts";
import type { Question } from "../../src/query/question.ts";
import * as runs from "../../src/query/runs.ts";
import alertAsksSql from "../../queries/schema/alert_asks.sql" with { type: "text" };
import alertWindowsSql from "../../queries/schema/alert_windows.sql" with { type: "text" };
import issuesSql from "../../queries/schema/issues.sql" with { type: "text" };
import occurrencesSql from "../../queries/schema/occurrences.sql" with { type: "text" };
import pointFilterSql from "../../queries/schema/point_filter.sql" with { type: "text" };
import pointStepsSql from "../../queries/schema/point_steps.sql" with { type: "text" };
import { createTable, openDuckDB, rowsOf } from "../../src/store/duckdb.ts";
import { points as pointRelation } from "../../src/store/relation.ts";
import { temporaryFolder } from "../store/fixture.ts";

const root = join(import.meta.dir, "../..");
const list = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending)).map((path) => `${folder}/${path}`).sort();
const text = (path: string) => readFileSync(join(root, path), "utf8");

const files = list("queries", ".sql");
/** Views, variables and macros that questions share; the dictionaries are for people. */
const isSchema = (path: string) => path.startsWith("queries/schema/");
const dictionaries = ["queries/schema/events.sql", "queries/schema/metrics.sql"];

const questions = Object.entries({ alerts, events, issues, runs, metrics, points, facets, prices })
  .flatMap(
    (
      [noun, module],
    ) =>
      Object.entries(module).filter((entry): entry is [string, Question<unknown, unknown>] =>
        typeof entry[1] === "object" && "sql" in entry[1] && "row" in entry[1]
      ).map((
        [name, question],
      ): [string, Question<unknown, unknown>] => [`${noun}.${name}`, question]),
  );

const folder = temporaryFolder();
let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  instance = await openDuckDB({
    cacheDir: join(folder.path, "cache"),
    temporaryDir: folder.path,
    memoryLimit: "256MB",
    threads: 1,
  });
  connection = await instance.connect();
  await connection.run(createTable("events"));
  await connection.run(createTable("metrics", pointRelation));
  await connection.run(pointFilterSql, { points: "{}" });
  await connection.run(pointStepsSql);
  await connection.run(alertAsksSql, { alert_asks: "{}" });
  await connection.run(alertWindowsSql, { alert_windows: "{}" });
  // With every condition: none of them goes unprepared.
  for (const values of [["a"], ["a", "b"]]) {
    await setFilter((sql, params) => rowsOf(connection, sql, params), {
      project_id: "shop",
      since: "2026-01-01T00:00:00Z",
      until: "2026-02-01T00:00:00Z",
      q: "a",
      values: Object.fromEntries(filterFields.map((field) => [field, values])),
    });
  }
  await connection.run(issuesSql, { issues: "{}" });
  await connection.run(occurrencesSql);
});

afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  folder.remove();
});

/** What a zod type of a column or parameter may be in DuckDB. */
function fits(schema: unknown, type: string): boolean {
  if (schema instanceof z.ZodNullable) return fits(schema.unwrap(), type);
  if (schema instanceof z.ZodArray) {
    return type.endsWith("[]") && fits(schema.element, type.slice(0, -2));
  }
  if (schema instanceof z.ZodEnum) return type === "VARCHAR";
  if (schema instanceof z.ZodString) {
    return type === "VARCHAR" || type === "TIMESTAMP WITH TIME ZONE";
  }
  if (schema instanceof z.ZodBoolean) return type === "BOOLEAN";
  if (schema instanceof z.ZodNumber) {
    const isWhole = ["BIGINT", "HUGEINT"].includes(type);
    return schema.format === "safeint" ? isWhole : type === "DOUBLE";
  }
  return false;
}

/** Columns of a shape that do not fit, as text; empty when all do. */
function misfits(schema: z.ZodType, found: Map<string, string>): string[] {
  const { shape } = schema as z.ZodObject;
  return [...new Set([...Object.keys(shape), ...found.keys()])].flatMap((name) => {
    const type = found.get(name);
    if (type === undefined) return [`${name} is not in the SQL`];
    if (shape[name] === undefined) return [`${name} is not in the type`];
    return fits(shape[name], type) ? [] : [`${name} is ${type}`];
  });
}

describe("question", () => {
  test.each(questions)("%s: parameters and columns are those of its type", async (_, question) => {
    const prepared = await connection.prepare(question.sql);
    const named = Array.from({ length: prepared.parameterCount }, (_, at) => at + 1);
    const casts = new Map(named.map((at) => {
      const name = prepared.parameterName(at);
      // Each parameter is cast where it stands, so that null has a type.
      const types = [...question.sql.matchAll(new RegExp(`\\$${name}\\b(?:::(\\w+))?`, "g"))]
        .map((match) => match[1] ?? "no type");
      expect([name, new Set(types).size]).toEqual([name, 1]);
      return [name, types[0] === "TIMESTAMPTZ" ? "TIMESTAMP WITH TIME ZONE" : types[0]!];
    }));
    expect(misfits(question.params, casts)).toEqual([]);
    const columns = Array.from({ length: prepared.columnCount }, (_, at) => at);
    const found = new Map(
      columns.map((at) => [prepared.columnName(at), String(prepared.columnType(at))]),
    );
    expect(misfits(question.row, found)).toEqual([]);
    prepared.destroySync();
  });

  test("every file is a question with a type, or of the schema", () => {
    const asked = new Set(questions.map(([, { sql }]) => sql));
    expect(files.filter((path) => !isSchema(path) && !asked.has(text(path)))).toEqual([]);
    expect(questions.length).toBe(files.filter((path) => !isSchema(path)).length);
  });
});

test.each(files.filter((path) => !dictionaries.includes(path)))(
  "%s asks in words on its first line",
  (path) => {
    expect(text(path).split("\n", 1)[0]).toMatch(/^-- [A-Z][^?]+\?( [A-Z].*)?$/);
  },
);

test("every filter has its conditions", () => {
  const when = [...text("queries/schema/matching.sql").matchAll(/^-- when (\w+)$/gm)];
  const names = filterFields.flatMap((name) => [name, `any_${name}`]);
  expect(when.map((match) => match[1]!).sort())
    .toEqual([...names, "since", "until", "q", "q_json"].sort());
});

test("columns are named", () => {
  const starred = files.filter((path) => !isSchema(path) && /\bselect\s+\*/i.test(text(path)));
  expect(starred).toEqual([]);
});

test("every file is imported by a module", () => {
  const modules = list("src", ".ts").map(text).join("\n");
  const unused = files.filter((path) =>
    !dictionaries.includes(path) && !modules.includes(`/${path}"`)
  );
  expect(unused).toEqual([]);
});
