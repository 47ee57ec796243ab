// Who is let in: every way to ask, against a real server and real connections.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { authenticate, isPublic } from "../../src/serve/auth.ts";
import { cors } from "../../src/serve/cors.ts";
import { Problem, respond } from "../../src/serve/errors.ts";
import type { AppEnv } from "../../src/serve/principal.ts";
import { projectRoutes } from "../../src/serve/projects.ts";
import { sessionRoutes } from "../../src/serve/session.ts";
import { openState, type State } from "../../src/store/state.ts";

const folder = mkdtempSync(join(tmpdir(), "watchllm-auth-"));
const trusted = "https://app.example";
const keys = {
  ingest: "ingest-key-of-shop-000",
  read: "read-key-of-shop-00000",
  admin: "admin-key-of-shop-0000",
  bank: "admin-key-of-bank-0000",
  cyrillic: "ключ-от-магазина-0000",
  revoked: "revoked-key-of-shop-00",
};

interface Server {
  url: string;
  port: number;
  stop(): Promise<void>;
}

const clock = { at: Date.UTC(2026, 0, 1), nowMs: () => clock.at };
let state: State;
/** Listens on 127.0.0.1, and on every address. */
let local: Server;
let open: Server;

beforeAll(async () => {
  state = await openState(join(folder, "state.db"), { clock });
  for (const project_id of ["shop", "bank"]) await state.createProject(project_id);
  for (const [name, secret] of Object.entries(keys)) {
    const scopes = name === "ingest" || name === "read" ? [name] as const : ["admin"] as const;
    const project_id = name === "bank" ? "bank" : "shop";
    const made = await state.createKey({ project_id, scopes, name, secret });
    if ("refused" in made) throw new Error(made.message);
    if (name === "revoked") await state.revokeKey(made.key_id);
  }
  local = start("127.0.0.1", [trusted]);
  open = start("0.0.0.0", ["*"]);
});

afterAll(async () => {
  await local.stop();
  await open.stop();
  await state.close();
  rmSync(folder, { recursive: true });
});

function start(hostname: string, corsOrigins: string[]): Server {
  const app = new OpenAPIHono<AppEnv>();
  app.onError((error, c) => {
    if (error instanceof Problem) return respond(c, error);
    if (error instanceof HTTPException) return error.getResponse();
    throw error;
  });
  const auth = { host: hostname, corsOrigins };
  app.use(cors(corsOrigins));
  app.use(authenticate(state, auth));
  app.route("/", sessionRoutes({ state, auth, clock }));
  app.route("/", projectRoutes({ state }));
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/metrics", (c) => c.text("metrics"));
  app.on(["GET", "POST"], "/api/who", (c) => {
    const { local, projects, scopes } = c.get("principal");
    return c.json({ local, projects, scopes: [...scopes] });
  });
  app.get("*", (c) => c.text("page"));
  const server = Bun.serve({ hostname, port: 0, fetch: app.fetch });
  const port = server.port!;
  return { url: `http://127.0.0.1:${port}`, port, stop: () => server.stop(true) };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("on a loopback listener", () => {
  const port = "<port>";
  type Case = [
    question: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    status: number,
  ];
  const cases: Case[] = [
    ["nobody is the local user", "GET", "/api/who", {}, 200],
    ["by the name localhost", "GET", "/api/who", { host: `localhost:${port}` }, 200],
    ["by the number of IPv6", "GET", "/api/who", { host: `[::1]:${port}` }, 200],
    ["by another loopback number", "GET", "/api/who", { host: "127.9.9.9" }, 200],
    ["a name that resolves here", "GET", "/api/who", { host: "evil.example" }, 401],
    ["such a name with our port", "GET", "/api/who", { host: `evil.example:${port}` }, 401],
    ["a name that begins like ours", "GET", "/api/who", { host: "localhost.evil.example" }, 401],
    ["a number that begins like ours", "GET", "/api/who", { host: "127.0.0.1.evil.example" }, 401],
    ["a name that ends like ours", "GET", "/api/who", { host: "evil.localhost" }, 401],
    ["an empty host", "GET", "/api/who", { host: "" }, 400],
    ["our own page", "POST", "/api/who", { origin: `http://127.0.0.1:${port}` }, 200],
    ["a foreign page", "POST", "/api/who", { origin: "https://evil.example" }, 401],
    ["another port of this machine", "POST", "/api/who", { origin: "http://127.0.0.1:1" }, 401],
    ["our name with another scheme", "POST", "/api/who", {
      origin: `https://127.0.0.1:${port}`,
    }, 401],
    ["a page without an origin", "POST", "/api/who", { origin: "null" }, 401],
    ["a page of the settings", "POST", "/api/who", { origin: trusted }, 200],
    ["an image of a foreign page", "GET", "/api/who", { "sec-fetch-site": "cross-site" }, 401],
    ["an address typed in", "GET", "/api/who", { "sec-fetch-site": "none" }, 200],
    ["a proxy", "GET", "/api/who", { "x-forwarded-for": "203.0.113.7" }, 401],
    ["a proxy of the standard kind", "GET", "/api/who", { forwarded: "for=203.0.113.7" }, 401],
    ["a right key", "GET", "/api/who", bearer(keys.read), 200],
    [
      "a right key by any name",
      "GET",
      "/api/who",
      { ...bearer(keys.read), host: "x.example" },
      200,
    ],
    ["a right key in another script", "GET", "/api/who", {
      authorization: `Bearer ${Buffer.from(keys.cyrillic).toString("latin1")}`,
    }, 200],
    [
      "a right key, small letters",
      "GET",
      "/api/who",
      { authorization: `bearer ${keys.read}` },
      200,
    ],
    ["a wrong key", "GET", "/api/who", bearer("wl_a_wrong-key-000000"), 401],
    ["a revoked key", "GET", "/api/who", bearer(keys.revoked), 401],
    ["a key with a space behind", "GET", "/api/who", bearer(`${keys.read} x`), 401],
    ["another scheme", "GET", "/api/who", { authorization: `Basic ${btoa("a:b")}` }, 401],
    ["no scheme", "GET", "/api/who", { authorization: keys.read }, 401],
    ["a scheme alone", "GET", "/api/who", { authorization: "Bearer" }, 401],
    ["an empty header", "GET", "/api/who", { authorization: "" }, 401],
    ["a cookie that opens nothing", "GET", "/api/who", { cookie: "watchllm_session=x" }, 200],
    ["health, from anywhere", "GET", "/healthz", { host: "evil.example" }, 200],
    ["the page, from anywhere", "GET", "/runs/1", { host: "evil.example" }, 200],
    ["metrics, from here", "GET", "/metrics", {}, 200],
    ["metrics, from elsewhere", "GET", "/metrics", { host: "evil.example" }, 401],
    ["a path in disguise", "GET", "/%61pi/who", { host: "evil.example" }, 401],
    ["an unknown path of the API", "GET", "/api/unknown", { host: "evil.example" }, 401],
  ];
  test.each(cases)("%s: %s %s", async (_question, method, path, headers, status) => {
    const sent = Object.entries({ host: `127.0.0.1:${local.port}`, ...headers })
      .map(([name, value]) => `${name}: ${value.replace(port, String(local.port))}\r\n`).join("");
    expect(await statusOf(local.port, `${method} ${path} HTTP/1.1\r\n${sent}`)).toBe(status);
  });

  test("the local user knows every project and may do everything", async () => {
    const who = await (await fetch(`${local.url}/api/who`)).json();
    expect(who).toEqual({
      local: true,
      // Made in the same millisecond of the test's clock, so by name.
      projects: ["bank", "shop"],
      scopes: ["ingest", "read", "admin"],
    });
  });

  test("a key knows its own project, local or not", async () => {
    for (const { url } of [local, open]) {
      const who = await (await fetch(`${url}/api/who`, { headers: bearer(keys.bank) })).json();
      expect(who).toEqual({ local: false, projects: ["bank"], scopes: ["admin"] });
    }
  });
});

/** By hand, because a client would put the headers right. */
function statusOf(port: number, head: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`${head}content-length: 0\r\nconnection: close\r\n\r\n`, "latin1");
    });
    let text = "";
    socket.on("data", (chunk) => text += chunk);
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])));
  });
}

describe("on any other listener", () => {
  const cases: [question: string, path: string, headers: Record<string, string>, status: number][] =
    [
      ["nobody", "/api/who", {}, 401],
      ["nobody asks for metrics", "/metrics", {}, 401],
      ["a right key", "/api/who", bearer(keys.ingest), 200],
      ["a wrong key", "/api/who", bearer("wrong-key-0000000"), 401],
      ["health", "/healthz", {}, 200],
      ["the page", "/", {}, 200],
      ["who am I", "/api/session", {}, 200],
      ["who am I with a wrong key", "/api/session", bearer("wrong-key-0000000"), 401],
    ];
  test.each(cases)("%s: %s", async (_question, path, headers, status) => {
    const response = await fetch(open.url + path, { headers });
    expect(response.status).toBe(status);
    if (status === 401) {
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
    }
  });
});

test.each([
  ["GET", "/api/session", true],
  ["POST", "/api/session", true],
  ["GET", "/openapi.json", true],
  ["GET", "/apiary", true],
  ["GET", "/api", false],
  ["GET", "/api/session/x", false],
  ["GET", "/v1/events", false],
  ["GET", "/mcp", false],
  ["POST", "/", false],
  ["OPTIONS", "/api/who", false],
])("%s %s needs no key: %p", (method, path, expected) => {
  expect(isPublic(method, path)).toBe(expected);
});

describe("session", () => {
  const json = { "content-type": "application/json" };
  const login = (url: string, key: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/session`, {
      method: "POST",
      headers: { ...json, ...headers },
      body: JSON.stringify({ key }),
    });
  const cookieOf = (response: Response) => response.headers.get("set-cookie")!.split(";")[0]!;

  test("a key becomes a cookie that scripts cannot read, and it ends with the session", async () => {
    const response = await login(open.url, keys.read);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      authenticated: true,
      local: false,
      projects: [{ project_id: "shop", name: "shop" }],
      scopes: ["read"],
    });
    const [value, ...flags] = response.headers.get("set-cookie")!.split("; ");
    expect(flags.sort()).toEqual(["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict"]);
    const cookie = { cookie: value! };
    const who = await fetch(`${open.url}/api/who`, { headers: cookie });
    expect(await who.json()).toEqual({ local: false, projects: ["shop"], scopes: ["read"] });
    const ended = await fetch(`${open.url}/api/session`, { method: "DELETE", headers: cookie });
    expect(ended.status).toBe(204);
    expect((await fetch(`${open.url}/api/who`, { headers: cookie })).status).toBe(401);
  });

  test("behind https the cookie stays there", async () => {
    const response = await login(open.url, keys.read, { "x-forwarded-proto": "https" });
    expect(response.headers.get("set-cookie")).toContain("; Secure");
  });

  const changes: [question: string, headers: Record<string, string>, status: number][] = [
    ["our page", { origin: "http://<host>" }, 200],
    ["our page behind https", { origin: "https://<host>" }, 200],
    ["our page by the browser's word", { "sec-fetch-site": "same-origin" }, 200],
    ["our page behind a proxy", {
      origin: "https://watch.example",
      "x-forwarded-host": "watch.example",
    }, 200],
    ["no page", {}, 403],
    ["a foreign page", { origin: "https://evil.example" }, 403],
    ["a page beside ours", { origin: "http://<host>", "sec-fetch-site": "same-site" }, 403],
    ["no origin", { origin: "null" }, 403],
  ];
  test.each(changes)(
    "a cookie changes things from our page only: %s",
    async (_, headers, status) => {
      const cookie = cookieOf(await login(open.url, keys.read));
      const host = new URL(open.url).host;
      const sent = Object.entries(headers).map(([name, value]) => [
        name,
        value.replace("<host>", host),
      ]);
      const response = await fetch(`${open.url}/api/who`, {
        method: "POST",
        headers: { cookie, ...Object.fromEntries(sent) },
      });
      expect(response.status).toBe(status);
    },
  );

  test("a foreign page can log nobody in or out", async () => {
    const foreign = { origin: "https://evil.example" };
    expect((await login(open.url, keys.read, foreign)).status).toBe(403);
    const out = await fetch(`${open.url}/api/session`, { method: "DELETE", headers: foreign });
    expect(out.status).toBe(403);
  });

  test("it ends with its key, and after thirty days", async () => {
    const made = await state.createKey({ project_id: "shop", scopes: ["read"] });
    if ("refused" in made) throw new Error(made.message);
    const first = cookieOf(await login(open.url, made.secret));
    const second = cookieOf(await login(open.url, keys.read));
    const status = async (cookie: string) =>
      (await fetch(`${open.url}/api/who`, { headers: { cookie } })).status;
    expect(await status(first)).toBe(200);
    await state.revokeKey(made.key_id);
    expect(await status(first)).toBe(401);
    const day = 24 * 60 * 60 * 1000;
    clock.at += 30 * day - 1;
    expect(await status(second)).toBe(200);
    clock.at += 1;
    expect(await status(second)).toBe(401);
  });

  test("wrong keys are slowed down, right ones are not counted", async () => {
    for (let at = 0; at < 10; at++) {
      expect((await login(local.url, `wrong-${at}`)).status).toBe(401);
    }
    const refused = await login(local.url, keys.read);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBe(60);
    clock.at += 60_000;
    for (let at = 0; at < 12; at++) {
      expect((await login(local.url, keys.read)).status).toBe(200);
    }
  });

  const bodies: [question: string, body: string, status: number][] = [
    ["no JSON", "{", 400],
    ["no key", "{}", 400],
    ["a key that is no text", '{"key":1}', 400],
    ["a body without end", `{"key":"${"x".repeat(100_000)}"}`, 413],
  ];
  test.each(bodies)("%s → %i", async (_question, body, status) => {
    const response = await fetch(`${open.url}/api/session`, {
      method: "POST",
      headers: json,
      body,
    });
    expect(response.status).toBe(status);
  });
});

describe("other origins", () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/api/who`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
  const allow = (response: Response) => response.headers.get("access-control-allow-origin");

  test("a page of the settings may ask, and read the refusal", async () => {
    const asked = await preflight(local.url, trusted);
    expect([asked.status, allow(asked)]).toEqual([204, trusted]);
    expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(asked.headers.get("access-control-allow-credentials")).toBeNull();
    const headers = { origin: trusted, ...bearer("wrong-key-0000000") };
    const refused = await fetch(`${local.url}/api/who`, { headers });
    expect([refused.status, allow(refused)]).toEqual([401, trusted]);
    expect(refused.headers.get("vary")).toContain("Origin");
  });

  test("any other may not", async () => {
    const asked = await preflight(local.url, "https://evil.example");
    expect([asked.status, allow(asked)]).toEqual([403, null]);
    const headers = { origin: "https://evil.example", ...bearer(keys.read) };
    const answered = await fetch(`${local.url}/api/who`, { headers });
    expect([answered.status, allow(answered)]).toEqual([200, null]);
  });

  test("with * any page may ask, but only with a key", async () => {
    const origin = "https://any.example";
    expect(allow(await preflight(open.url, origin))).toBe(origin);
    const keyed = await fetch(`${open.url}/api/who`, { headers: { origin, ...bearer(keys.read) } });
    expect([keyed.status, allow(keyed)]).toEqual([200, origin]);
    const loose = start("127.0.0.1", ["*"]);
    const unkeyed = await fetch(`${loose.url}/api/who`, { method: "POST", headers: { origin } });
    expect(unkeyed.status).toBe(401);
    await loose.stop();
  });
});

describe("projects and keys", () => {
  const send = (method: string, path: string, key: string | null, body?: unknown) =>
    fetch(local.url + path, {
      method,
      headers: {
        "content-type": "application/json",
        ...key === null ? {} : bearer(key),
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });

  test("everybody sees what they know", async () => {
    const ids = async (key: string | null) => {
      const { projects } = await (await send("GET", "/api/projects", key)).json() as {
        projects: { project_id: string }[];
      };
      return projects.map(({ project_id }) => project_id);
    };
    expect(await ids(null)).toEqual(expect.arrayContaining(["shop", "bank"]));
    expect(await ids(keys.ingest)).toEqual(["shop"]);
    expect(await ids(keys.bank)).toEqual(["bank"]);
  });

  const creations: [
    question: string,
    key: string | null,
    body: Record<string, unknown>,
    status: number,
  ][] = [
    ["the local user", null, { project_id: "new-1" }, 201],
    ["an admin", keys.admin, { project_id: "new-2", name: "New", key_scopes: ["ingest"] }, 201],
    ["a reader", keys.read, { project_id: "new-3" }, 403],
    ["an id that exists", null, { project_id: "shop" }, 409],
    ["an id that differs in case", null, { project_id: "SHOP" }, 409],
    ["a path as an id", null, { project_id: "../shop" }, 400],
    ["an empty id", null, { project_id: "" }, 400],
    ["no id", null, {}, 400],
    ["a scope that is none", null, { project_id: "new-4", key_scopes: ["root"] }, 400],
  ];
  test.each(creations)("%s creates a project → %#", async (_question, key, body, status) => {
    const response = await send("POST", "/api/projects", key, body);
    expect([body, response.status]).toEqual([body, status]);
    const answer = await response.json() as { key?: { key: string } | null };
    if (status !== 201) return;
    expect(answer.key === null).toBe(body.key_scopes === undefined);
    if (!answer.key) return;
    const who = await (await send("GET", "/api/who", answer.key.key)).json();
    expect(who).toEqual({ local: false, projects: [String(body.project_id)], scopes: ["ingest"] });
  });

  test("an admin makes, lists and revokes keys of the own project only", async () => {
    const made = await send("POST", "/api/keys", keys.admin, { scopes: ["read"], name: "ci" });
    expect(made.status).toBe(201);
    const { key, key_id } = await made.json() as { key: string; key_id: string };
    expect((await send("GET", "/api/who", key)).status).toBe(200);
    const listed = await (await send("GET", "/api/keys", keys.admin)).text();
    expect(listed).toContain(key_id);
    expect(listed).not.toContain(key);
    const refusals: [method: string, path: string, key: string, body: unknown, status: number][] = [
      ["DELETE", `/api/keys/${key_id}`, keys.bank, undefined, 404],
      ["DELETE", `/api/keys/${key_id}`, keys.read, undefined, 403],
      ["DELETE", "/api/keys/none", keys.admin, undefined, 404],
      ["GET", "/api/keys?project_id=shop", keys.bank, undefined, 403],
      ["GET", "/api/keys", keys.read, undefined, 403],
      ["POST", "/api/keys", keys.bank, { project_id: "shop", scopes: ["read"] }, 403],
      ["POST", "/api/keys", keys.read, { scopes: ["admin"] }, 403],
      ["POST", "/api/keys", keys.admin, { scopes: [] }, 400],
    ];
    for (const [method, path, key, body, status] of refusals) {
      const response = await send(method, path, key, body);
      expect([method, path, response.status]).toEqual([method, path, status]);
    }
    expect((await send("DELETE", `/api/keys/${key_id}`, keys.admin)).status).toBe(200);
    expect((await send("GET", "/api/who", key)).status).toBe(401);
  });
});
