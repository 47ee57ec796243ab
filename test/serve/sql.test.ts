// `POST /api/sql` over HTTP, with the real sandbox behind it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { Problem, respond } from "../../src/serve/errors.ts";
import type { AppEnv, Principal, Scope } from "../../src/serve/principal.ts";
import { sqlRoutes } from "../../src/serve/sql.ts";
import type { Sandbox } from "../../src/store/sandbox.ts";
import { type Fixture, makeFixture, makeSandbox } from "../store/sandbox_fixture.ts";

let fixture: Fixture;
let sandbox: Sandbox;
let server: ReturnType<typeof Bun.serve>;
/** Snapshots taken and not yet released. */
let pinned = 0;
let caller: Principal;

function principal(scopes: Scope[], projects: string[]): Principal {
  return { local: false, scopes: new Set(scopes), projects, key_id: "k" };
}

beforeAll(async () => {
  fixture = await makeFixture();
  sandbox = makeSandbox(fixture, { spareIdleMs: 60_000, waitingMax: 0 });
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: makeApp().fetch });
});

afterAll(async () => {
  await server.stop(true);
  await sandbox.close();
  fixture.remove();
});

function makeApp(): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.use(async (c, next) => {
    c.set("principal", caller);
    await next();
  });
  app.onError((error, c) => {
    if (error instanceof Problem) return respond(c, error);
    if (error instanceof HTTPException) return error.getResponse();
    throw error;
  });
  app.route(
    "/",
    sqlRoutes({
      sandbox,
      source: (project_id) => {
        pinned++;
        const files = project_id === "mine" ? fixture.mine.files : [fixture.otherFile];
        return Promise.resolve({
          files,
          segments: fixture.mine.segments,
          release: () => void pinned--,
        });
      },
      rowsMax: 4,
      timeoutMs: 5_000,
      keepOpen: (request) => server.timeout(request, 0),
    }),
  );
  return app;
}

function post(body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(new URL("/api/sql", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal,
  });
}

const reader = principal(["read"], ["mine"]);
const both = principal(["admin"], ["mine", "other"]);
const ids = "SELECT event_id, tokens_input FROM events ORDER BY event_id LIMIT 2";

test("answers in JSON", async () => {
  caller = reader;
  const response = await post({ sql: ids });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({
    columns: [{ name: "event_id", type: "VARCHAR" }, { name: "tokens_input", type: "BIGINT" }],
    rows: [["m1", 10], ["m2", 10]],
    row_count: 2,
    truncated: false,
    elapsed_ms: expect.any(Number),
  });
  expect(pinned).toBe(0);
});

test("says when there is more", async () => {
  caller = reader;
  const answer = await (await post({ sql: "FROM events SELECT event_id" })).json();
  expect(answer).toMatchObject({ row_count: 4, truncated: true });
});

test("answers in CSV", async () => {
  caller = reader;
  const response = await post({ sql: ids, format: "csv" });
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="answer.csv"');
  expect(response.headers.get("x-watchllm-truncated")).toBe("false");
  expect(await response.text()).toBe("event_id,tokens_input\r\nm1,10\r\nm2,10\r\n");
});

test("answers in Parquet", async () => {
  caller = reader;
  const response = await post({ sql: "FROM events", format: "parquet" });
  expect(response.headers.get("content-type")).toBe("application/vnd.apache.parquet");
  expect(response.headers.get("x-watchllm-truncated")).toBe("true");
  const bytes = await response.bytes();
  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe("PAR1");
});

test("each project sees its own", async () => {
  caller = both;
  const sql = "SELECT DISTINCT project_id FROM events";
  for (const project_id of ["mine", "other"]) {
    const answer = await (await post({ sql, project_id })).json();
    expect(answer).toMatchObject({ rows: [[project_id]] });
  }
});

const endless = "SELECT sum(range) FROM range(1000000000000)";

const refusals: [name: string, who: Principal, body: unknown, status: number, detail: RegExp][] = [
  ["a statement", reader, { sql: "COPY events TO 'x'" }, 400, /single SELECT .* this is COPY/],
  ["a file", reader, { sql: "FROM read_text('/etc/passwd')" }, 400, /read_text is not available/],
  ["bad SQL", reader, { sql: "SELEC 1" }, 400, /syntax error at or near "SELEC"/],
  ["too slow", reader, { sql: endless }, 408, /longer than 5 s/],
  [
    "too large",
    reader,
    { sql: "SELECT list(repeat('x', 10000) || range) FROM range(1000000)" },
    400,
    /more memory/,
  ],
  ["another project", reader, { sql: "SELECT 1", project_id: "other" }, 403, /does not know/],
  ["no project named", both, { sql: "SELECT 1" }, 400, /name one/],
  ["no read scope", principal(["ingest"], ["mine"]), { sql: "SELECT 1" }, 403, /may not read/],
  ["no SQL", reader, {}, 400, /^sql: /],
  ["SQL that is no text", reader, { sql: 1 }, 400, /^sql: /],
  ["an unknown format", reader, { sql: "SELECT 1", format: "xml" }, 400, /^format: /],
];

test.each(refusals)("refuses %s", async (_, who, body, status, detail) => {
  caller = who;
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = await response.json() as { status: number; detail: string };
  expect(problem.status).toBe(status);
  expect(problem.detail).toMatch(detail);
  expect(pinned).toBe(0);
}, 20_000);

test("refuses a body that is no JSON", async () => {
  caller = reader;
  expect((await post("{")).status).toBe(400);
});

test("a question too many is told when to come back", async () => {
  caller = reader;
  const running = [post({ sql: endless }), post({ sql: endless })];
  await until(() => pinned === 2);
  const response = await post({ sql: "SELECT 1" });
  expect(response.status).toBe(503);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  for (const { status } of await Promise.all(running)) expect(status).toBe(408);
}, 20_000);

test("a client that goes away frees its place", async () => {
  caller = reader;
  const abort = new AbortController();
  const asked = post({ sql: endless }, abort.signal).catch(() => "gone");
  await until(() => pinned === 1);
  abort.abort();
  expect(await asked).toBe("gone");
  await until(() => pinned === 0);
}, 20_000);

test("the route is documented", () => {
  const document = makeApp().getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "t", version: "1" },
  });
  const operation = document.paths?.["/api/sql"]?.post;
  expect(Object.keys(operation?.responses ?? {})).toEqual(["200", "400", "403", "408", "503"]);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("It did not happen in time.");
    await Bun.sleep(10);
  }
}
