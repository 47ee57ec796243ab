// Parquet files of a version that did not have every column yet.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Glob } from "bun";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { type Field, fields } from "../../src/event.ts";
import { pageOfEvents } from "../../src/query/events.ts";
import { metricsOf } from "../../src/query/metrics.ts";
import { literal, openDuckDB, readParquet, rowsOf } from "../../src/store/duckdb.ts";
import { openStore, temporaryFolder } from "./fixture.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

const lacking = ["model", "tags", "input_preview", "json_fields", "latency_ms"];

const event = (event_id: string, day: number) => ({
  event_id,
  event_type: "prompt_call",
  timestamp: `2026-01-0${day}T12:00:00Z`,
  model: "gpt-x",
  tags: ["a"],
  prompt: "hello",
});

/** The data of an older version: `one` and `two` in files, of which those of `days` lack columns. */
async function makeLake(days: number[]): Promise<string[]> {
  const lake = await openStore(folder.path);
  await lake.send([event("one", 1), event("two", 2)]);
  await lake.close();
  const paths = [...new Glob("events/**/*.parquet").scanSync(folder.path)].sort()
    .map((path) => join(folder.path, path));
  const instance = await openDuckDB({
    cacheDir: join(folder.path, "cache"),
    temporaryDir: folder.path,
    memoryLimit: "256MB",
    threads: 1,
  });
  const connection = await instance.connect();
  for (const day of days) {
    const path = paths[day - 1]!;
    const ids = (fields as readonly Field[]).filter(({ name }) => !lacking.includes(name))
      .map(({ name, id }) => `${name}: ${id}`).join(", ");
    await connection.run(
      `COPY (SELECT * EXCLUDE (${lacking.join(", ")}) FROM read_parquet(${literal(path)},
         hive_partitioning = false)) TO ${literal(`${path}.new`)}
       (FORMAT parquet, FIELD_IDS {${ids}})`,
    );
    renameSync(`${path}.new`, path);
  }
  const rows = await rowsOf(
    connection,
    `SELECT event_id, model, tags FROM (${readParquet(paths)}) ORDER BY event_id`,
  );
  expect(rows).toEqual(["one", "two"].map((event_id, at) => {
    const older = days.includes(at + 1);
    return { event_id, model: older ? null : "gpt-x", tags: older ? null : ["a"] };
  }));
  connection.closeSync();
  instance.closeSync();
  return paths;
}

test.each([[[1]], [[2]], [[1, 2]]])(
  "questions find events in files that lack columns: days %j",
  async (days) => {
    await makeLake(days);
    const { store, send, close } = await openStore(folder.path);
    await send([event("three", 3)]);
    const filter = { project_id: "shop", values: {} };
    const asked = { filter, sort: "timestamp", order: "asc", limit: 9, after: null } as const;
    const { events } = await pageOfEvents(store.reader, { ...asked, view: "full" });
    expect(events.map(({ event_id, model, prompt }) => [event_id, model, prompt])).toEqual(
      ["one", "two", "three"].map((id, at) => [
        id,
        days.includes(at + 1) ? undefined : "gpt-x",
        "hello",
      ]),
    );
    const metrics = { filter, intervalS: null, groupBy: "model", groupsMax: 5 } as const;
    const { groups } = await metricsOf(store.reader, metrics);
    const counts = new Map(groups.map(({ group, requests }) => [group, requests]));
    expect(counts.get("gpt-x")).toBe(3 - days.length);
    expect(counts.get(null)).toBe(days.length);
    // Acknowledged before, known again after the restart.
    expect(await send([event("one", 1)])).toMatchObject({ accepted: 0, duplicates: 1 });
    await close();
  },
);
