// The OpenAPI document is valid and whole, and no route that it lists lets a key of one project see
// another project. A new route is covered from the moment it is there.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { startTestServer, type TestServer } from "./fixture.ts";

interface Operation {
  method: string;
  path: string;
  parameters: { name: string; in: string; required?: boolean }[];
  hasBody: boolean;
}

let server: TestServer;
let document: Record<string, unknown>;
let operations: Operation[];

/** A word in every field of the bank's events: the shop must never see it. */
const secret = "secret-of-the-bank";
const event = (word: string) => ({
  event_id: `event-${word}`,
  run_id: `run-${word}`,
  event_type: "prompt_call",
  name: word,
  model: word,
  user_id: word,
  tags: [word],
  prompt: word,
  response: word,
});

beforeAll(async () => {
  server = await startTestServer();
  await server.send([event("shopping")], "shop");
  await server.send([event(secret)], "bank");
  document = await (await server.ask("/openapi.json")).json() as Record<string, unknown>;
  operations = operationsOf(document);
});
afterAll(() => server.stop());

function operationsOf(document: Record<string, unknown>): Operation[] {
  const paths = document.paths as Record<
    string,
    Record<string, { parameters?: Operation["parameters"]; requestBody?: unknown }>
  >;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      hasBody: requestBody !== undefined,
    }))
  );
}

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result.valid ? [] : result.errors).toEqual([]);
  expect(validator.version).toBe("3.1");
});

test("it lists every route for programs", () => {
  expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    "DELETE /api/channels/{id}",
    "DELETE /api/issues/{id}/merge",
    "DELETE /api/keys/{key_id}",
    "DELETE /api/monitors/{id}",
    "DELETE /api/rewrite/{id}",
    "DELETE /api/rules/{id}",
    "DELETE /api/session",
    "GET /api/alerts",
    "GET /api/alerts/{id}",
    "GET /api/blobs/{sha256}",
    "GET /api/channels",
    "GET /api/channels/{id}",
    "GET /api/deliveries",
    "GET /api/erasures",
    "GET /api/erasures/{id}",
    "GET /api/events",
    "GET /api/events/{event_id}",
    "GET /api/events/{event_id}/mapping",
    "GET /api/export",
    "GET /api/facets",
    "GET /api/issues",
    "GET /api/issues/settings",
    "GET /api/issues/{id}",
    "GET /api/keys",
    "GET /api/live",
    "GET /api/metrics",
    "GET /api/monitors",
    "GET /api/monitors/{id}",
    "GET /api/monitors/{id}/results",
    "GET /api/points",
    "GET /api/points/attributes",
    "GET /api/points/names",
    "GET /api/prices",
    "GET /api/prices/quote",
    "GET /api/prices/unpriced",
    "GET /api/projects",
    "GET /api/public/health",
    "GET /api/public/projects",
    "GET /api/redaction",
    "GET /api/redaction/kinds",
    "GET /api/retention",
    "GET /api/rewrite/{id}",
    "GET /api/rules",
    "GET /api/rules/templates",
    "GET /api/rules/{id}",
    "GET /api/runs",
    "GET /api/runs/{run_id}",
    "GET /api/session",
    "GET /api/status",
    "PATCH /api/channels/{id}",
    "PATCH /api/issues/{id}",
    "PATCH /api/monitors/{id}",
    "PATCH /api/public/media/{id}",
    "PATCH /api/rules/{id}",
    "POST /api/alerts/{id}/actions/{index}",
    "POST /api/alerts/{id}/resolve",
    "POST /api/channels",
    "POST /api/channels/{id}/test",
    "POST /api/deliveries/{id}/retry",
    "POST /api/erasures",
    "POST /api/issues/{id}/merge",
    "POST /api/keys",
    "POST /api/monitors",
    "POST /api/monitors/try",
    "POST /api/monitors/{id}/run",
    "POST /api/projects",
    "POST /api/public/ingestion",
    "POST /api/public/media",
    "POST /api/public/otel/v1/traces",
    "POST /api/public/scores",
    "POST /api/redaction/try",
    "POST /api/rewrite",
    "POST /api/rules",
    "POST /api/rules/backtest",
    "POST /api/session",
    "POST /api/sql",
    "POST /v1/events",
    "POST /v1/logs",
    "POST /v1/metrics",
    "POST /v1/projects/{project_id}/events",
    "POST /v1/projects/{project_id}/logs",
    "POST /v1/projects/{project_id}/metrics",
    "POST /v1/projects/{project_id}/traces",
    "POST /v1/projects/{project_id}/v1/logs",
    "POST /v1/projects/{project_id}/v1/metrics",
    "POST /v1/projects/{project_id}/v1/traces",
    "POST /v1/traces",
    "PUT /api/channels/{id}",
    "PUT /api/issues/settings",
    "PUT /api/monitors/{id}",
    "PUT /api/prices/custom",
    "PUT /api/public/media/{id}/upload",
    "PUT /api/redaction",
    "PUT /api/retention",
    "PUT /api/rules/{id}",
  ]);
});

test("no route of the API is made behind its back", async () => {
  const hidden: string[] = [];
  for await (const file of new Bun.Glob("src/serve/*.ts").scan(join(import.meta.dir, "../.."))) {
    const text = await Bun.file(join(import.meta.dir, "../..", file)).text();
    const made = text.matchAll(/\.(?:get|post|put|patch|delete|all)\(\s*"(\/(?:api|v1)[^"]*)"/g);
    for (const [, route] of made) {
      const path = route!.replaceAll(/:(\w+)/g, "{$1}");
      if (!operations.some((operation) => operation.path === path)) hidden.push(path);
    }
  }
  expect(hidden).toEqual([]);
});

test("parameters of paths are declared, and each has one name", () => {
  for (const { path, parameters } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    const declared = parameters.filter((one) => one.in === "path").map((one) => one.name);
    expect([path, declared]).toEqual([path, named]);
    const all = parameters.map((one) => `${one.in} ${one.name}`);
    expect([path, new Set(all).size]).toEqual([path, all.length]);
  }
});

describe("a key of the shop asks for the bank", () => {
  const ids: Record<string, string> = {
    event_id: `event-${secret}`,
    run_id: `run-${secret}`,
    project_id: "bank",
    key_id: "none",
    id: "none",
    index: "0",
  };
  const filled = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name]!);
  const bodies = [
    { sql: "SELECT * FROM events" },
    { sql: "SELECT * FROM events", project_id: "bank" },
    { project_id: "bank", scopes: ["read"] },
    event("sent"),
    { ...event("sent"), project_id: "bank" },
  ];

  test("by name, in every route: refused, or answered without a word of it", async () => {
    const seen: string[] = [];
    for (const operation of operations) {
      for (const query of ["", "?project_id=bank", `?user_id=${secret}`, "?view=full"]) {
        const path = filled(operation.path) + query;
        for (const body of operation.hasBody ? bodies : [undefined]) {
          const answer = await answerOf(operation.method, path, body);
          const asked = `${operation.method} ${path} ${JSON.stringify(body)}`;
          // What was sent may come back in a refusal; nothing else may.
          const told = answer.text.replaceAll(path.split("?")[0]!, "")
            .replaceAll(`event-${secret}`, "").replaceAll(`run-${secret}`, "");
          if (told.includes(secret)) seen.push(asked);
          const named = operation.parameters.some((one) => one.name === "project_id");
          if (query === "?project_id=bank" && named && operation.path !== "/api/status") {
            if (answer.status < 400) seen.push(`${asked} → ${answer.status}`);
          }
        }
      }
    }
    expect(seen).toEqual([]);
  }, 60_000);

  test("and the bank's own key does see it, so that the words above are there to be seen", async () => {
    const blind: string[] = [];
    for (
      const path of ["events", "runs", "metrics?group_by=model", "facets", `runs/run-${secret}`]
    ) {
      const text = await (await server.ask(`/api/${path}`, "bank")).text();
      if (!text.includes(secret)) blind.push(path);
    }
    expect(blind).toEqual([]);
  });

  test("nothing of it was changed", async () => {
    const { total } = await (await server.ask("/api/events", "bank")).json() as { total: number };
    expect(total).toBe(1);
  });
});

/** The beginning of the answer is enough of a stream. */
async function answerOf(method: string, path: string, body: unknown) {
  const ending = new AbortController();
  const response = await server.ask(path, "shop", {
    method,
    signal: ending.signal,
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  });
  const isStream = response.headers.get("content-type") === "text/event-stream";
  if (!isStream) return { status: response.status, text: await response.text() };
  const { value } = await response.body!.getReader().read();
  ending.abort();
  return { status: response.status, text: new TextDecoder().decode(value) };
}
