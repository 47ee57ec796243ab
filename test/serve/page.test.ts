// The page: which file answers which path, in which coding, under which guards.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { Hono } from "hono";
import { Problem, respond } from "../../src/serve/errors.ts";
import { isHashed, negotiate, pageRoutes } from "../../src/serve/page.ts";

const folder = mkdtempSync(join(tmpdir(), "watchllm-page-"));
afterAll(() => rmSync(folder, { recursive: true }));

const index = "<!doctype html><title>WatchLLM</title>" + "<p>text</p>".repeat(200);
const script = "console.log('hello');".repeat(200);
mkdirSync(join(folder, "fonts"));
writeFileSync(join(folder, "index.html"), index);
writeFileSync(join(folder, "index.html.br"), brotliCompressSync(index));
writeFileSync(join(folder, "index.html.gz"), gzipSync(index));
writeFileSync(join(folder, "app-k3x90fbz.js"), script);
writeFileSync(join(folder, "app-k3x90fbz.js.zst"), Bun.zstdCompressSync(script));
writeFileSync(join(folder, "icon.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>");
writeFileSync(join(folder, "fonts/mono-00ff00ff.woff2"), "font");
writeFileSync(join(folder, ".inputs"), "private");

function appOver(folder: string): Hono {
  const app = new Hono();
  app.get("/api/known", (c) => c.json({}));
  app.route("/", pageRoutes({ folder }));
  app.notFound((c) => c.json({ status: 404 }, 404));
  app.onError((error, c) => respond(c, error as Problem));
  return app;
}
const app = appOver(folder);
const html = "text/html,application/xhtml+xml,*/*;q=0.8";

describe("path", () => {
  const cases: [
    question: string,
    path: string,
    accept: string,
    status: number,
    type: string | null,
  ][] = [
    ["the root", "/", html, 200, "text/html; charset=utf-8"],
    ["the root for curl", "/", "*/*", 200, "text/html; charset=utf-8"],
    ["a page of the app", "/runs/r%201?since=-1h", html, 200, "text/html; charset=utf-8"],
    ["an id with a dot", "/runs/a.js", html, 200, "text/html; charset=utf-8"],
    ["a program asks for no page", "/runs/1", "*/*", 404, null],
    ["a script", "/app-k3x90fbz.js", "*/*", 200, "text/javascript; charset=utf-8"],
    ["a script of an older build", "/app-0000aaaa.js", "*/*", 404, null],
    ["a file in a folder", "/fonts/mono-00ff00ff.woff2", "*/*", 200, "font/woff2"],
    ["an icon", "/icon.svg", "image/*", 200, "image/svg+xml"],
    ["a route before the page", "/api/known", html, 200, "application/json"],
    ["an unknown route", "/api/unknown", html, 404, null],
    ["an unknown route in disguise", "/%61pi/unknown", html, 404, null],
    ["an ingest path", "/v1/traces", html, 404, null],
    ["a name that begins like a route", "/apis", html, 200, "text/html; charset=utf-8"],
    ["a compressed file by itself", "/index.html.br", "*/*", 404, null],
    ["a hidden file", "/.inputs", "*/*", 404, null],
    ["a path out of the folder", "/..%2f..%2fdeno.json", "*/*", 404, null],
    ["a broken escape", "/%E0%A4%A", "*/*", 404, null],
  ];
  test.each(cases)("%s", async (_question, path, accept, status, type) => {
    const response = await app.request(path, { headers: { accept } });
    expect(response.status).toBe(status);
    if (type !== null) expect(response.headers.get("content-type")).toBe(type);
  });
});

describe("coding", () => {
  const all = ["br", "zstd", "gzip", null].map((encoding) => ({ encoding }));
  const cases: [header: string, expected: string | null][] = [
    ["", null],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, zstd", "zstd"],
    ["GZIP", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["br;q=0.2, gzip;q=0.8", "gzip"],
    ["br;q=0,zstd;q=0,gzip;q=0", null],
    ["*", "br"],
    ["*;q=0", null],
    ["identity", null],
    ["identity;q=0.1, gzip;q=0.5", "gzip"],
    ["gzip;q=nonsense", null],
    ["deflate", null],
  ];
  test.each(cases)("%p", (header, expected) => {
    expect(negotiate(header, all).encoding).toBe(expected);
  });

  const decode: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array> = {
    br: brotliDecompressSync,
    gzip: gunzipSync,
    zstd: Bun.zstdDecompressSync,
  };
  const files: [path: string, encoding: string | null, text: string][] = [
    ["/", "br", index],
    ["/", "gzip", index],
    ["/app-k3x90fbz.js", "zstd", script],
    ["/app-k3x90fbz.js", null, script],
  ];
  test.each(files)("%s arrives whole as %p", async (path, encoding, text) => {
    const headers = { "accept-encoding": encoding ?? "identity" };
    const response = await app.request(path, { headers });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    const bytes = new Uint8Array(await response.arrayBuffer());
    const plain = encoding === null ? bytes : decode[encoding]!(bytes);
    expect(new TextDecoder().decode(plain)).toBe(text);
  });
});

describe("caching", () => {
  test("a hashed name is kept for ever, index.html is asked for again", async () => {
    const hashed = await app.request("/app-k3x90fbz.js");
    expect(hashed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const first = await app.request("/");
    expect(first.headers.get("cache-control")).toBe("no-cache");
    const etag = first.headers.get("etag")!;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await app.request("/", { headers: { "if-none-match": known } });
      expect([known, again.status]).toEqual([known, 304]);
      expect(await again.text()).toBe("");
    }
    const other = await app.request("/", { headers: { "if-none-match": '"other"' } });
    expect(other.status).toBe(200);
  });

  test("each coding has an ETag of its own", async () => {
    const tags = await Promise.all(["br", "gzip", "identity"].map(async (encoding) => {
      const response = await app.request("/", { headers: { "accept-encoding": encoding } });
      return response.headers.get("etag");
    }));
    expect(new Set(tags).size).toBe(3);
  });

  const names: [path: string, hashed: boolean][] = [
    ["/app-k3x90fbz.js", true],
    ["/app-k3x90fbz.js.map", true],
    ["/index.html", false],
    ["/touch-iconlarge.png", false],
    ["/app.js", false],
    ["/a-123.js", false],
  ];
  test.each(names)("%s: %p", (path, hashed) => expect(isHashed(path)).toBe(hashed));
});

test("nothing foreign and nothing inline may run", async () => {
  for (const path of ["/", "/app-k3x90fbz.js", "/runs/1"]) {
    const { headers } = await app.request(path, { headers: { accept: html } });
    const policy = headers.get("content-security-policy")!.split("; ");
    expect(policy).toEqual(expect.arrayContaining([
      "default-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "frame-ancestors 'none'",
    ]));
    expect(policy.join()).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
  }
});

test("HEAD tells what GET would send", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
  try {
    const headers = { "accept-encoding": "br" };
    const head = await fetch(server.url, { method: "HEAD", headers });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(brotliCompressSync(index).length));
    expect(await (await fetch(server.url, { headers })).text()).toBe(index);
  } finally {
    await server.stop(true);
  }
});

test("a server without its page says how to build it", async () => {
  const response = await appOver(join(folder, "missing")).request("/", {
    headers: { accept: html },
  });
  expect(response.status).toBe(404);
  expect(await response.text()).toContain("deno task web");
});
