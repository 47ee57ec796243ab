import { afterAll, beforeAll, expect, test } from "bun:test";
import { fromSource, startServer } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => void (server = await startTestServer()));
afterAll(() => server.stop());

function fileOf(start: string | Uint8Array, length = 2000): { url: string; sha256: string } {
  const bytes = Buffer.alloc(length, 7);
  Buffer.from(start).copy(bytes);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  return { url: `data:text/html;base64,${bytes.toString("base64")}`, sha256 };
}

const hex = (text: string) => Buffer.from(text, "hex");
const text = (start: string) => Buffer.from(start.padEnd(2000, " words"));

const types: [what: string, start: Uint8Array, type: string, disposition: RegExp][] = [
  ["a picture", hex("89504e470d0a1a0a"), "image/png", /^inline$/],
  ["sound", hex("524946460000000057415645"), "audio/wav", /^inline$/],
  ["film", hex("000000186674797069736f6d"), "video/mp4", /^inline$/],
  ["PDF", Buffer.from("%PDF-1.7"), "application/pdf", /^inline$/],
  [
    "SVG is text",
    text("<svg xmlns='…'><script>alert(1)</script></svg>"),
    "text/plain; charset=utf-8",
    /^inline$/,
  ],
  [
    "HTML is text",
    text("<!doctype html><script>alert(1)</script>"),
    "text/plain; charset=utf-8",
    /^inline$/,
  ],
  [
    "an archive",
    hex("504b0304"),
    "application/octet-stream",
    /^attachment; filename="[0-9a-f]{64}"$/,
  ],
  ["anything", hex("00010203"), "application/octet-stream", /^attachment/],
];
test.each(types)("blobs: %s", async (_, start, type, disposition) => {
  const { url, sha256 } = fileOf(start);
  await server.send([{ event_type: "span", input: { image: url } }]);
  const response = await server.ask(`/api/blobs/${sha256}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
  expect(response.headers.get("content-disposition")).toMatch(disposition);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'/);
  expect(response.headers.get("cache-control")).toMatch(/^private, .*immutable$/);
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
  const known = await server.ask(`/api/blobs/${sha256}`, "shop", {
    headers: { "if-none-match": response.headers.get("etag")! },
  });
  expect(known.status).toBe(304);
});

test("blobs: a range", async () => {
  const { url, sha256 } = fileOf(hex("89504e470d0a1a0a"), 3000);
  await server.send([{ event_type: "span", input: url }]);
  const ranges: [header: string, status: number, range: string | null, bytes: number][] = [
    ["bytes=0-9", 206, "bytes 0-9/3000", 10],
    ["bytes=2990-", 206, "bytes 2990-2999/3000", 10],
    ["bytes=-5", 206, "bytes 2995-2999/3000", 5],
    ["bytes=-9999", 206, "bytes 0-2999/3000", 3000],
    ["bytes=0-9,20-29", 200, null, 3000],
    ["lines=1-2", 200, null, 3000],
    ["bytes=9-1", 200, null, 3000],
  ];
  for (const [range, status, contentRange, bytes] of ranges) {
    const response = await server.ask(`/api/blobs/${sha256}`, "shop", { headers: { range } });
    const { byteLength } = await response.arrayBuffer();
    expect([range, response.status, response.headers.get("content-range"), byteLength])
      .toEqual([range, status, contentRange, bytes]);
  }
  for (const range of ["bytes=3000-", "bytes=-0"]) {
    const outside = await server.ask(`/api/blobs/${sha256}`, "shop", { headers: { range } });
    expect([range, outside.status]).toEqual([range, 416]);
  }
});

test("blobs: another project's file is not there, whoever asks", async () => {
  const { url, sha256 } = fileOf(hex("89504e470d0a1a0aff"));
  await server.send([{ event_type: "span", input: url }]);
  const statuses = await Promise.all([
    server.ask(`/api/blobs/${sha256}`, "bank"),
    server.ask(`/api/blobs/${sha256}?project_id=shop`, "bank"),
    server.ask(`/api/blobs/${sha256}?project_id=shop`, null),
    server.ask(`/api/blobs/${sha256}?project_id=bank`, null),
    server.ask(`/api/blobs/${"0".repeat(64)}`),
    server.ask(`/api/blobs/${sha256.toUpperCase()}`),
    server.ask(`/api/blobs/..%2f..%2fstate.db`),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([404, 403, 200, 404, 404, 404, 404]);
});

test("blobs: counted, unless they are switched off", async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^watchllm_blobs_stored_total [1-9]/m);
  const { path, remove } = temporaryFolder();
  const off = await startServer({
    dataDir: path,
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_BLOBS: "off" },
  });
  try {
    const { url, sha256 } = fileOf(hex("89504e470d0a1a0a"));
    const event = { event_id: "e", event_type: "span", input: url };
    await fetch(`${off.url}/v1/events`, { method: "POST", body: JSON.stringify(event) });
    const stored = await (await fetch(`${off.url}/api/events/e`)).json() as { input: string };
    expect(stored.input).toBe(url);
    expect((await fetch(`${off.url}/api/blobs/${sha256}`)).status).toBe(404);
    expect(await (await fetch(`${off.url}/metrics`)).text()).toContain("blobs_stored_total 0");
  } finally {
    await off.kill();
    remove();
  }
});
