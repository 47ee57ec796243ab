// Checks against real servers on this machine: right, wrong, slow, hanging, broken, hostile.
import { afterEach, describe, expect, test } from "bun:test";
import { check, outcomeOf, pauseBefore } from "../../src/monitor/check.ts";
import { answerBytesMax } from "../../src/monitor/exchange.ts";
import { cert, key } from "../notify/certificate.ts";
import { startReceiver } from "../notify/receiver.ts";
import { type Answer, completion, deps, message, monitor, raw, startEndpoint } from "./endpoint.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const never = new AbortController().signal;

function endpoint(answer?: Answer) {
  const started = startEndpoint(answer);
  closing.push(() => started.stop());
  return started;
}

async function rawUrl(answer: Parameters<typeof raw>[0]) {
  const started = await raw(answer);
  closing.push(() => started.stop());
  return started.url;
}

describe("OpenAI", () => {
  test("is asked as it expects, and its answer is read", async () => {
    const { url, asked } = endpoint();
    const [only] = await check(
      monitor({
        url: `${url}/v1/`,
        system: "Be short.",
        parameters: { temperature: 0 },
        assertions: [{ type: "contains", value: "Paris" }],
      }),
      { api_key: "sk-secret-key", headers: { "x-team": "shop" } },
      deps({ costOf: ({ tokens_input }) => tokens_input! / 1e6 }),
      never,
    );
    expect(asked).toMatchObject([{
      method: "POST",
      path: "/v1/chat/completions",
      headers: {
        authorization: "Bearer sk-secret-key",
        "x-team": "shop",
        "content-type": "application/json",
      },
      json: {
        model: "gpt-4o-mini",
        temperature: 0,
        messages: [
          { role: "system", content: "Be short." },
          { role: "user", content: "Capital of France?" },
        ],
      },
    }]);
    expect(only).toMatchObject({
      problem: null,
      status: 200,
      answer: "Paris.",
      cost_usd: 0.001,
      verdicts: [{ holds: true }],
      read: {
        model: "gpt-4o-mini-2024-07-18",
        tokens_input: 1000,
        tokens_output: 100,
        tokens_cache_read: 200,
        tokens_reasoning: 10,
        finish_reason: "stop",
      },
    });
    expect(only!.latency_ms).toBeGreaterThan(0);
  });

  test("a base that is the whole address stays", async () => {
    const { url, asked } = endpoint();
    await check(monitor({ url: `${url}/x/chat/completions?v=1` }), {}, deps(), never);
    expect(asked[0]!.path).toBe("/x/chat/completions?v=1");
    expect(asked[0]!.headers).not.toHaveProperty("authorization");
  });
});

test("Anthropic is asked as it expects, and its answer is read", async () => {
  const { url, asked } = endpoint(() => message("Paris."));
  const [only] = await check(
    monitor({ type: "anthropic", url, system: "Be short.", parameters: { max_tokens: 5 } }),
    { api_key: "sk-ant-secret" },
    deps(),
    never,
  );
  expect(asked).toMatchObject([{
    path: "/v1/messages",
    headers: { "x-api-key": "sk-ant-secret", "anthropic-version": "2023-06-01" },
    json: {
      max_tokens: 5,
      system: "Be short.",
      messages: [{ role: "user", content: "Capital of France?" }],
    },
  }]);
  expect(only).toMatchObject({
    problem: null,
    answer: "Paris.",
    read: {
      tokens_input: 100,
      tokens_cache_read: 90,
      tokens_output: 5,
      finish_reason: "end_turn",
    },
  });
});

test("any HTTP call, with what it is set to send", async () => {
  const { url, asked } = endpoint(() => Response.json({ up: true }, { status: 201 }));
  const [only] = await check(
    monitor({
      type: "http",
      url: `${url}/health?deep=1`,
      method: "PUT",
      body: '{"a":1}',
      assertions: [
        { type: "status", values: [201] },
        { type: "json_path", path: "$.up", equals: true },
      ],
    }),
    { headers: { "x-key": "abc" } },
    deps(),
    never,
  );
  expect(asked).toMatchObject([{
    method: "PUT",
    path: "/health?deep=1",
    body: '{"a":1}',
    headers: { "content-type": "application/json", "x-key": "abc" },
  }]);
  expect(only).toMatchObject({ problem: null, answer: '{"up":true}', cost_usd: null });
});

test("a call without a body either way, at an address in brackets", async () => {
  const server = Bun.serve({
    hostname: "::1",
    port: 0,
    fetch: ({ method }) => new Response(null, { status: method === "HEAD" ? 204 : 500 }),
  });
  closing.push(() => server.stop(true));
  const head = monitor({
    type: "http",
    url: `http://[::1]:${server.port}/`,
    method: "HEAD",
    assertions: [{ type: "status", values: [204] }, { type: "length", max: 0 }],
  });
  expect(await check(head, {}, deps(), never)).toMatchObject([{ problem: null, answer: "" }]);
});

describe("what can go wrong", () => {
  const head = (status: string) => `HTTP/1.1 ${status}\r\n`;
  const cases: [
    what: string,
    answer: Parameters<typeof raw>[0],
    problem: string,
    outcome: string,
  ][] = [
    [
      "a wrong answer",
      (s) => {
        const body = '{"choices":[{"message":{"content":"Lyon"}}]}';
        s.end(`${head("200 OK")}content-length: ${body.length}\r\n\r\n${body}`);
      },
      "assertion_failed",
      "failing",
    ],
    [
      "500",
      (s) => s.end(`${head("500 Oh")}content-length: 2\r\n\r\nno`),
      "answered_error",
      "failing",
    ],
    [
      "garbage",
      (s) => s.end(`${head("200 OK")}content-length: 5\r\n\r\n<html`),
      "unreadable_answer",
      "failing",
    ],
    [
      "JSON of another kind",
      (s) => s.end(`${head("200 OK")}content-length: 2\r\n\r\n{}`),
      "unreadable_answer",
      "failing",
    ],
    [
      "a body without end",
      (s) => {
        s.write(`${head("200 OK")}transfer-encoding: chunked\r\n\r\n`);
        for (let at = 0; at < 20; at++) s.write(`ffff\r\n${"x".repeat(0xffff)}\r\n`);
      },
      "answer_too_large",
      "failing",
    ],
    [
      "a redirect",
      (s) => {
        s.end(`${head("302 Found")}location: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n`);
      },
      "redirected",
      "failing",
    ],
    [
      "an answer that breaks off",
      (s) => {
        s.write(`${head("200 OK")}content-length: 99\r\n\r\nhalf`);
        setTimeout(() => s.destroy(), 20);
      },
      "broken_answer",
      "failing",
    ],
    ["silence", () => {}, "timeout", "erroring"],
    [
      "slow for ever",
      (s) => {
        s.write(`${head("200 OK")}content-length: 9999\r\n\r\n`);
        const timer = setInterval(() => s.write("x"), 20);
        s.on("close", () => clearInterval(timer));
      },
      "timeout",
      "erroring",
    ],
    ["closed at once", (s) => s.destroy(), "unreachable", "erroring"],
    ["no HTTP", (s) => s.end("220 mail.example ESMTP\r\n"), "unreachable", "erroring"],
  ];
  test.each(cases)("%s", async (_what, answer, problem, outcome) => {
    const url = await rawUrl(answer);
    const attempts = await check(
      monitor({
        url,
        timeout_seconds: 1,
        retries: 0,
        assertions: [{ type: "contains", value: "Paris" }],
      }),
      {},
      deps(),
      never,
    );
    expect(attempts).toMatchObject([{ problem }]);
    expect(outcomeOf(attempts[0]!)).toBe(outcome as "failing");
    expect(attempts[0]!.message).toEndWith(".");
  });

  test("nobody there; a name that leads nowhere; a name that takes for ever", async () => {
    const problem = async (url: string, resolve = deps().resolve) => {
      const [only] = await check(
        monitor({ type: "http", url, timeout_seconds: 1, retries: 0 }),
        {},
        deps({ resolve }),
        never,
      );
      return [only!.problem, only!.status, outcomeOf(only!)];
    };
    expect(await problem("http://127.0.0.1:1/")).toEqual(["unreachable", null, "erroring"]);
    expect(await problem("http://no.test/", () => Promise.reject(new Error("ENOTFOUND"))))
      .toEqual(["unreachable", null, "erroring"]);
    expect(await problem("http://slow.test/", () => new Promise(() => {})))
      .toEqual(["timeout", null, "erroring"]);
  });

  test("addresses inside are refused before anything is sent, unless they are allowed", async () => {
    const { url, asked } = endpoint();
    const port = new URL(url).port;
    const urls = [url, `http://2130706433:${port}/`, `http://name.test:${port}/`];
    for (const one of urls) {
      const attempts = await check(
        monitor({ url: one, retries: 3 }),
        {},
        deps({ allowInside: false }),
        never,
      );
      // Trying again is of no use.
      expect(attempts).toMatchObject([{ problem: "address_refused", status: null }]);
    }
    const metadata = monitor({ type: "http", url: "http://169.254.169.254/latest", retries: 0 });
    expect(await check(metadata, {}, deps(), never)).toMatchObject([{
      problem: "address_refused",
    }]);
    expect(asked).toEqual([]);
  });

  test("a certificate is held to the name of the address", async () => {
    const receiver = startReceiver({ tls: { cert, key } });
    closing.push(() => receiver.stop());
    const port = new URL(receiver.url).port;
    const problem = async (host: string, ca?: string) => {
      const url = `https://${host}:${port}/`;
      const given = deps(ca === undefined ? {} : { ca });
      return (await check(monitor({ type: "http", url, retries: 0 }), {}, given, never))[0]!
        .problem;
    };
    expect(await problem("receiver.test", cert)).toBeNull();
    expect(await problem("other.test", cert)).toBe("tls");
    expect(await problem("receiver.test")).toBe("tls");
  });

  test("compressed answers are read, and bombs are not", async () => {
    const zipped = (text: string) =>
      new Response(Bun.gzipSync(text), { headers: { "content-encoding": "gzip" } });
    const { url } = endpoint(({ path }) =>
      path === "/bomb"
        ? zipped("x".repeat(answerBytesMax + 1))
        : path === "/broken"
        ? new Response("no gzip", { headers: { "content-encoding": "gzip" } })
        : zipped("plain words")
    );
    const only = async (path: string) =>
      (await check(monitor({ type: "http", url: url + path, retries: 0 }), {}, deps(), never))[0]!;
    expect(await only("/")).toMatchObject({ problem: null, answer: "plain words" });
    expect((await only("/bomb")).problem).toBe("answer_too_large");
    expect((await only("/broken")).problem).toBe("broken_answer");
  });

  test("a key that an endpoint repeats is in nothing that is kept", async () => {
    const { url } = endpoint(({ headers }) =>
      completion(`You said ${headers.authorization} and ${headers["x-other"]}`)
    );
    const [only] = await check(
      monitor({ url, assertions: [{ type: "contains", value: "tiger" }] }),
      {
        api_key: "sk-very-secret-key",
        headers: { "x-other": 'quote"d-value', "accept": "text/html" },
      },
      deps(),
      never,
    );
    expect(JSON.stringify(only)).not.toMatch(/very-secret|quote/);
    expect(only!.answer).toBe("You said Bearer [SECRET] and [SECRET]");
  });
});

describe("attempts", () => {
  test("go on until one is right, and the last decides", async () => {
    const { url, asked } = endpoint((_, count) =>
      count < 3 ? new Response("busy", { status: 503 }) : completion("Paris.")
    );
    const pauses: number[] = [];
    const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
    const attempts = await check(monitor({ url, retries: 3 }), {}, deps({ pause }), never);
    expect(attempts.map(({ problem }) => problem))
      .toEqual(["answered_error", "answered_error", null]);
    expect(asked.length).toBe(3);
    expect(pauses).toEqual([750, 1500]);
  });

  test("wait as long as they are asked to, if that is not too long", async () => {
    let seconds = "7";
    const { url, asked } = endpoint(() =>
      new Response("slow down", { status: 429, headers: { "retry-after": seconds } })
    );
    const pauses: number[] = [];
    const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
    await check(monitor({ url, retries: 1 }), {}, deps({ pause }), never);
    expect([pauses, asked.length]).toEqual([[7000], 2]);
    seconds = "3600";
    await check(monitor({ url, retries: 3 }), {}, deps({ pause }), never);
    expect([pauses, asked.length]).toEqual([[7000], 3]);
  });

  test.each([
    [1, null, 0, 500],
    [1, null, 0.999, 999.5],
    [3, null, 0, 2000],
    [1, 20, 0, 20_000],
    [1, 21, 0, null],
  ])("attempt %i, asked to wait %p s", (attempt, retryAfterS, random, expected) => {
    expect(pauseBefore(attempt, retryAfterS, random)).toBe(expected);
  });

  test("end when the server stops", async () => {
    const ending = new AbortController();
    const url = await rawUrl(() => ending.abort());
    const attempts = await check(monitor({ url, retries: 3 }), {}, deps(), ending.signal);
    expect(attempts).toMatchObject([{ problem: "stopped" }]);
  });

  test("are not made without the secrets that were set", async () => {
    const { url, asked } = endpoint();
    expect(await check(monitor({ url }), null, deps(), never))
      .toMatchObject([{ problem: "no_secret", status: null }]);
    expect(asked).toEqual([]);
  });
});
