// Receivers that are slow, broken, somewhere else or somebody else; and which addresses are reached.
import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { statSync } from "node:fs";
import { join } from "node:path";
import { type AddressVerdict, checkedAddress, verdictOf } from "../../src/notify/address.ts";
import { post, type PostOptions } from "../../src/notify/post.ts";
import { CannotUnseal, openSeal } from "../../src/store/alerts/seal.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { cert, key } from "./certificate.ts";
import { toLoopback } from "./fixture.ts";
import { startReceiver } from "./receiver.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const options: PostOptions = { allowInside: true, resolve: toLoopback, timeoutMs: 400 };
const request = (url: string) => ({ url, headers: {}, body: "{}" });

/** A server that says what it is told to, byte by byte if need be. */
async function raw(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/hook`;
}

const head = "HTTP/1.1 500 Oh\r\ncontent-type: text/plain\r\n";

describe("an answer, and what is made of it", () => {
  const cases: [question: string, answer: (socket: Socket) => void, expected: object][] = [
    ["taken", (s) => s.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), {
      ok: true,
      status: 200,
    }],
    ["taken, by an answer that never ends", (s) => {
      s.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    }, { ok: true, status: 200 }],
    ["an error, in words", (s) => s.end(`${head}content-length: 9\r\n\r\nno\u0007room!`), {
      reason: "answered_error",
      status: 500,
      message: "Answered 500: no room!",
      permanent: false,
    }],
    ["an error without end", (s) => {
      s.write(`${head}transfer-encoding: chunked\r\n\r\n`);
      s.write(`ffff\r\n${"x".repeat(0xffff)}\r\n`);
    }, { reason: "answered_error", status: 500 }],
    [
      "asked to wait",
      (s) => s.end("HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"),
      {
        status: 429,
        retryAfterS: 7,
      },
    ],
    ["asked to wait until a time by its own clock", (s) => {
      s.end(
        "HTTP/1.1 503 No\r\ndate: Sat, 31 Jan 2026 12:00:00 GMT\r\n" +
          "retry-after: Sat, 31 Jan 2026 12:00:30 GMT\r\ncontent-length: 0\r\n\r\n",
      );
    }, { status: 503, retryAfterS: 30 }],
    ["asked to wait for a year", (s) => {
      s.end("HTTP/1.1 503 No\r\nretry-after: 99999999\r\ncontent-length: 0\r\n\r\n");
    }, { retryAfterS: 3600 }],
    ["gone for ever", (s) => s.end("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"), {
      status: 410,
      permanent: true,
    }],
    ["sent elsewhere", (s) => {
      s.end("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n");
    }, { reason: "redirected", permanent: true }],
    ["silence", () => {}, { reason: "timeout", permanent: false }],
    ["a header that never ends", (s) => void s.write("HTTP/1.1 200 OK\r\nx: "), {
      reason: "timeout",
    }],
    ["slow for ever", (s) => {
      s.write(`${head}content-length: 9999\r\n\r\n`);
      const timer = setInterval(() => s.write("x"), 20);
      s.on("close", () => clearInterval(timer));
    }, { reason: "timeout" }],
    ["closed at once", (s) => s.destroy(), { reason: "unreachable" }],
    ["no HTTP", (s) => s.end("220 mail.example ESMTP\r\n"), { reason: "unreachable" }],
  ];
  test.each(cases)("%s", async (_question, answer, expected) => {
    const url = await raw(answer);
    const began = performance.now();
    expect(await post(request(url), options)).toMatchObject(expected);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test("nobody there", async () => {
    expect(await post(request("http://127.0.0.1:1/"), options)).toMatchObject({
      reason: "unreachable",
    });
  });
});

describe("TLS", () => {
  const ask = async (host: string, ca?: string) => {
    const receiver = startReceiver({ tls: { cert, key } });
    closing.push(() => receiver.stop());
    const port = new URL(receiver.url).port;
    const outcome = await post(request(`https://${host}:${port}/hook`), {
      ...options,
      timeoutMs: 5000,
      ...ca === undefined ? {} : { ca },
    });
    return [outcome.ok ? "ok" : outcome.reason, receiver.received[0]?.headers.host];
  };
  test("the certificate is held to the name, not to the address that it led to", async () => {
    expect((await ask("receiver.test", cert))[0]).toBe("ok");
    expect(await ask("other.test", cert)).toEqual(["tls", undefined]);
    expect(await ask("receiver.test")).toEqual(["tls", undefined]);
  });
});

describe("an address", () => {
  const cases: [address: string, verdict: AddressVerdict][] = [
    ["93.184.216.34", "allowed"],
    ["2606:2800:220:1:248:1893:25c8:1946", "allowed"],
    ["127.0.0.1", "inside"],
    ["127.255.255.254", "inside"],
    ["10.1.2.3", "inside"],
    ["172.31.255.255", "inside"],
    ["172.32.0.1", "allowed"],
    ["192.168.0.1", "inside"],
    ["100.64.0.1", "inside"],
    ["::1", "inside"],
    ["fd12:3456::1", "inside"],
    ["::ffff:127.0.0.1", "inside"],
    ["::ffff:7f00:1", "inside"],
    ["0:0:0:0:0:ffff:10.0.0.1", "inside"],
    ["64:ff9b::10.0.0.1", "inside"],
    ["2002:7f00:1::", "inside"],
    ["::127.0.0.1", "inside"],
    ["0.0.0.0", "never"],
    ["169.254.169.254", "never"],
    ["::ffff:169.254.169.254", "never"],
    ["64:ff9b::a9fe:a9fe", "never"],
    ["100.100.100.200", "never"],
    ["fd00:ec2::254", "never"],
    ["fe80::1", "never"],
    ["fe80::1%eth0", "never"],
    ["224.0.0.1", "never"],
    ["255.255.255.255", "never"],
    ["198.18.0.1", "never"],
    ["::", "never"],
    ["ff02::1", "never"],
    ["2001:db8::1", "never"],
    ["localhost", "never"],
    ["", "never"],
  ];
  test.each(cases)("%s is %s", (address, verdict) => expect(verdictOf(address)).toBe(verdict));

  test.each([
    ["http://127.0.0.1/", false],
    ["http://2130706433/", false],
    ["http://0x7f.1/", false],
    ["http://[::ffff:7f00:1]/", false],
    ["http://169.254.169.254/latest/meta-data", true],
    ["http://[::ffff:a9fe:a9fe]/", true],
  ])("%s is refused before anything is sent", async (url, allowInside) => {
    const outcome = await post(request(url), { ...options, allowInside });
    expect(outcome).toMatchObject({ reason: "address_refused", permanent: true });
  });

  test("one bad address among those of a name is enough", async () => {
    const resolve = () => Promise.resolve(["93.184.216.34", "10.0.0.1"]);
    expect(await checkedAddress("mixed.example", { allowInside: false, resolve }))
      .toMatchObject({ problem: "refused" });
  });

  test("a name that changes its mind is reached where it was checked", async () => {
    const receiver = startReceiver();
    closing.push(() => receiver.stop());
    let asked = 0;
    const resolve = () => Promise.resolve([asked++ === 0 ? "127.0.0.1" : "127.0.0.99"]);
    const url = receiver.url.replace("127.0.0.1", "rebinding.test");
    expect(await post(request(url), { ...options, resolve })).toMatchObject({ ok: true });
    expect(asked).toBe(1);
    expect(receiver.received[0]!.headers.host).toStartWith("rebinding.test:");
  });

  test.each(["gopher://a/", "file:///etc/passwd", "not a url"])("%s is no address", async (url) => {
    expect(await post(request(url), options)).toMatchObject({ reason: "not_configured" });
  });
});

describe("a seal", () => {
  const folder = temporaryFolder();
  afterEach(() => folder.remove());

  test("opens what it closed, for its owner, with its key, unchanged", async () => {
    const path = join(folder.path, "channels.key");
    const seal = await openSeal(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const sealed = seal.seal({ secret: "to-be-hidden" }, "ch_1");
    expect(sealed).not.toContain("to-be-hidden");
    expect((await openSeal(path)).open(sealed, "ch_1")).toEqual({ secret: "to-be-hidden" });
    expect(seal.seal({ secret: "to-be-hidden" }, "ch_1")).not.toBe(sealed);
    expect(() => seal.open(sealed, "ch_2")).toThrow(CannotUnseal);
    expect(() => seal.open(sealed.replace(/.{4}$/, "AAAA"), "ch_1")).toThrow(CannotUnseal);
    const other = await openSeal(join(folder.path, "other.key"));
    expect(() => other.open(sealed, "ch_1")).toThrow(CannotUnseal);
  });
});
