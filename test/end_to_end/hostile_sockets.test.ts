// Requests that no HTTP library would send, byte by byte: two readings of one length, lengths that
// lie, headers without end, and clients that never finish.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { limits } from "../../src/limits.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";

const answerMsMax = 5000;
const MiB = 1024 * 1024;
/** What bodies may take together, over the largest body. */
const bodiesAtOnce = 256 / 20;

const folder = temporaryFolder();
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    dataDir: folder.path,
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: "a-key-for-the-tests-only" },
  });
}, 60_000);
afterAll(async () => {
  await server.kill();
  folder.remove();
});

/** Sends bytes as they are and returns the answer's first line; "closed" when there is none. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      resolve(String(data).split("\r\n", 1)[0]!);
      socket.destroy();
    });
    socket.on("close", () => resolve("closed"));
    socket.on("error", reject);
  });
}

const event = '{"event_type":"span"}';
const post = (headers: string, body = event) =>
  `POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n\r\n${body}`;
const chunked = "Transfer-Encoding: chunked";

// deno-fmt-ignore
const table: [string, number, string][] = [
  ["a length and chunks", 400, post(`Content-Length: 5\r\n${chunked}`, "0\r\n\r\n")],
  ["chunks and a length", 400, post(`${chunked}\r\nContent-Length: 5`, "0\r\n\r\n")],
  ["two lengths", 400, post("Content-Length: 5\r\nContent-Length: 6")],
  ["a list of lengths", 400, post("Content-Length: 21, 21")],
  ["a blank before the colon of a length", 400, post("Content-Length : 21")],
  ["a blank before the colon of an encoding", 400, post("Transfer-Encoding : chunked", "0\r\n\r\n")],
  ["a negative length", 400, post("Content-Length: -5")],
  ["a length with a sign", 400, post("Content-Length: +21")],
  ["a length in hexadecimal", 400, post("Content-Length: 0x15")],
  ["a length in words", 400, post("Content-Length: five")],
  ["a length beyond every integer", 400, post(`Content-Length: ${"9".repeat(30)}`)],
  ["a length that is too large, and a lie", 413, post(`Content-Length: ${300 * MiB}`)],
  ["a length beyond the server's own bound", 413, post(`Content-Length: ${2048 * MiB}`)],
  ["a length that cuts the body", 400, post("Content-Length: 10")],
  ["an encoding that is almost chunked", 400, post("Transfer-Encoding: xchunked", "0\r\n\r\n")],
  ["an encoding with a control character", 400, post("Transfer-Encoding:\vchunked", "0\r\n\r\n")],
  ["two transfer encodings", 400, post(`${chunked}\r\nTransfer-Encoding: identity`, "0\r\n\r\n")],
  ["a chunk of no number", 400, post(chunked, "zz\r\nhello\r\n0\r\n\r\n")],
  ["a chunk beyond every integer", 400, post(chunked, `${"F".repeat(17)}\r\nhello\r\n0\r\n\r\n`)],
  ["chunks as they should be", 202, post(chunked, `15\r\n${event}\r\n0\r\n\r\n`)],
  ["a header on two lines", 400, post("X-Folded: a\r\n b\r\nContent-Length: 21")],
  ["lines without carriage returns", 505, "GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n"],
  ["no host", 400, "GET /healthz HTTP/1.1\r\n\r\n"],
  ["two hosts", 401, "GET /api/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n"],
  ["a version that is not there", 505, "GET /\r\n\r\n"],
  ["the start of TLS", 400, `\x16\x03\x01\x02\x00\x01\x00\x01${"x".repeat(300)}\r\n\r\n`],
  ["a huge header", 431, post(`X-Huge: ${"a".repeat(100_000)}`)],
  ["500 headers", 431, post(Array.from({ length: 500 }, (_, at) => `X-${at}: a`).join("\r\n"))],
  ["a huge address", 431, `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`],
  ["a path out of the API", 404, "GET /api/../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
  ["a path that is no UTF-8", 404, "GET /api/events/%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
];
for (const [name, status, bytes] of table) {
  test(`sockets: ${name}`, async () => {
    expect(await raw(bytes)).toStartWith(`HTTP/1.1 ${status} `);
  }, answerMsMax * 2);
}

/** Connections that have sent this much, and send no more. */
async function unfinished(count: number, bytes: string): Promise<Socket[]> {
  return await Promise.all(
    Array.from({ length: count }, () =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect(server.port, "127.0.0.1", () =>
          socket.write(bytes, () => {
            socket.on("error", () => {}); // The server may lose patience.
            resolve(socket);
          }));
        socket.once("error", reject);
      })),
  );
}

// deno-fmt-ignore
const dribbles: [string, number, string][] = [
  ["a header", 200, "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a"],
  ["a small body", 200, post("Content-Length: 100", "{")],
  ["bodies that would fill the memory for all", 40, post(`Content-Length: ${limits.bodyBytesMax}`, "{")],
  ["one that would just fill the rest", 1, post(`Content-Length: ${0.8 * limits.bodyBytesMax}`, "{")],
  ["chunks", 200, post(chunked, "5\r\nhello\r\n")],
];
test("sockets: clients that never finish hold up nobody", async () => {
  expect(dribbles[2]![1]).toBeGreaterThan(bodiesAtOnce);
  const open: Socket[] = [];
  try {
    for (const [name, count, bytes] of dribbles) {
      open.push(...await unfinished(count, bytes));
      const response = await fetch(`${server.url}/v1/events`, {
        method: "POST",
        body: event,
        signal: AbortSignal.timeout(answerMsMax),
      });
      expect([name, response.status, await response.json()]).toMatchObject([
        name,
        202,
        { accepted: 1 },
      ]);
    }
  } finally {
    for (const socket of open) socket.destroy();
  }
}, 60_000);

test("sockets: after all of it the server is ready, and nothing of it was an error of its own", async () => {
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(server.output()).not.toContain('"level":"error"');
});
