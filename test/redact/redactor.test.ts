// What is kept of an event: which fields are touched, how, and what happens when a bound is reached.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileSettings, defaultSettings } from "../../src/redact/settings.ts";
import { workOf } from "../../src/redact/pattern.ts";
import { makeSet } from "../../scripts/redaction_set.ts";
import { type Given, redacted, redactorOf } from "./fixture.ts";

const hash = expect.stringMatching(/^\[EMAIL_ADDRESS:[0-9a-f]{12}\]$/);
const mail = "ann@example.com";

const modes: [Given["mode"], unknown, unknown][] = [
  ["detect", `to ${mail}`, mail],
  ["mask", "to [EMAIL_ADDRESS]", hash],
  ["hash", expect.stringMatching(/^to \[EMAIL_ADDRESS:[0-9a-f]{12}\]$/), hash],
  ["drop", "[dropped: EMAIL_ADDRESS]", "[dropped: EMAIL_ADDRESS]"],
];
test.each(modes)("%s: texts and ids", (mode, text, id) => {
  const { kept, counts } = redacted({ prompt: `to ${mail}`, user_id: mail, tags: [mail] }, {
    mode,
  });
  expect(kept).toEqual({ prompt: text, user_id: id, tags: [id] } as never);
  expect(counts).toEqual({ EMAIL_ADDRESS: 3 });
});

describe("hashes", () => {
  const tokenOf = (value: string, key = "a key") => {
    const compiled = compileSettings(defaultSettings("hash"));
    if ("refused" in compiled) throw new Error();
    const kept = { user_id: value };
    new (redactorOf({}).constructor as typeof import("../../src/redact/redactor.ts").Redactor)(
      compiled,
      { key, nowMs: () => 0, newId: () => "" },
    ).redact(kept);
    return kept.user_id;
  };
  test("are the same for the same value, however it is written, under one key", () => {
    expect(tokenOf("Ann@Example.com")).toBe(tokenOf(mail));
    expect(tokenOf("4111 1111 1111 1111")).toBe(tokenOf("4111111111111111"));
    expect(tokenOf("bob@example.com")).not.toBe(tokenOf(mail));
    expect(tokenOf(mail, "another key")).not.toBe(tokenOf(mail));
  });
});

test("what identifies the event, its time, its model and numbers are never touched", () => {
  const event = {
    event_id: mail,
    project_id: mail,
    run_id: mail,
    span_id: mail,
    parent_span_id: mail,
    timestamp: mail,
    event_type: mail,
    status: mail,
    model: mail,
    model_version: mail,
    provider: mail,
    step_type: mail,
    latency_ms: 4111111111111111,
    cost_reported_usd: 1.5,
    flag: true,
    nothing: null,
  }; // deno-fmt-ignore-line
  expect(redacted(event)).toEqual({ kept: event, counts: null, events: [] });
});

test("keys and structure stay; strings anywhere do not", () => {
  const event = JSON.parse(
    `{"prompt": [{"role": "user", "content": [{"text": "${mail}", "${mail}": {"a": ["${mail}", 1, null]}}]}],
      "__proto__": {"x": "${mail}"}, "constructor": {"prototype": {"y": "${mail}"}}, "resource": {"host.ip": "10.1.2.30"}}`,
  );
  const { kept, counts } = redacted(event);
  expect(JSON.stringify(kept)).toBe(
    `{"prompt":[{"role":"user","content":[{"text":"[EMAIL_ADDRESS]","${mail}":{"a":["[EMAIL_ADDRESS]",1,null]}}]}],` +
      `"__proto__":{"x":"[EMAIL_ADDRESS]"},"constructor":{"prototype":{"y":"[EMAIL_ADDRESS]"}},"resource":{"host.ip":"[IP_ADDRESS]"}}`,
  );
  expect(counts).toEqual({ EMAIL_ADDRESS: 4, IP_ADDRESS: 1 });
  expect(({} as { x?: string }).x).toBeUndefined();
});

test("the key says what stands under it, also in lists", () => {
  const { kept } = redacted({ attributes: { password: "hunter2x", phones: ["4155552671"] } });
  expect(kept.attributes).toEqual({ password: "[SECRET]", phones: ["[PHONE_NUMBER]"] });
});

test("an id stays within its bound", () => {
  const { kept } = redacted({ user_id: Array(9).fill("81.2.69.160").join(",") });
  expect(kept.user_id).toMatch(/^\[IP_ADDRESS:[0-9a-f]{12}\]$/);
});

test("kinds, allowed values and excluded fields are left", () => {
  const event = {
    prompt: `${mail} bob@other.org 81.2.69.160`,
    attributes: { deep: { left: mail, [mail]: mail }, order: mail },
    metadata: [{ left: mail }],
  };
  const { kept } = redacted(event, {
    kinds: ["EMAIL_ADDRESS"],
    allow: ["BOB@other.org", "/@example\\.net$/"],
    fields: { exclude: ["attributes.deep.left", "metadata.left"] },
  });
  expect(kept).toEqual({
    prompt: "[EMAIL_ADDRESS] bob@other.org 81.2.69.160",
    attributes: { deep: { left: mail, [mail]: "[EMAIL_ADDRESS]" }, order: "[EMAIL_ADDRESS]" },
    metadata: [{ left: mail }],
  });
  expect(redacted({ prompt: "x@example.net" }, { allow: ["/@example\\.net$/"] }).counts).toBeNull();
});

describe("a project's own patterns", () => {
  const custom = [{ name: "TICKET", pattern: "acme-\\d{5}", flags: "i" }];
  test("are masked like the others", () => {
    expect(redacted({ prompt: `ACME-12345 of ${mail}` }, { custom })).toMatchObject({
      kept: { prompt: "[TICKET] of [EMAIL_ADDRESS]" },
      counts: { TICKET: 1, EMAIL_ADDRESS: 1 },
    });
  });
  test("are seen across the slices of a long text", () => {
    for (const pattern of ["acme-\\d{5}", "(?:acme|ACME)+-(\\d+\\d*)*"]) {
      const prompt = `${"x ".repeat(50_000)}`.split("").map((sign, at) =>
        at % 997 === 996 ? " acme-12345 " : sign
      ).join("");
      const { kept } = redacted({ prompt }, { custom: [{ name: "TICKET", pattern }] });
      expect(kept.prompt).not.toContain("acme");
    }
  });

  const bounds: [pattern: string, ways: number | null, degree: number | null][] = [
    ["ACME-\\d{5}", 1, 0],
    ["[A-Z]{2,4}-\\d{3,8}", 18, 0],
    ["a|b|c", 3, 0],
    ["x+", 1, 1],
    ["a*a*b", 1, 2],
    ["(a+)+", 1, Infinity],
    ["(a|aa)+", 1, Infinity],
    ["(?:a{0,9}){0,9}", 1e9, 0],
    ["(?i)a", null, null],
    ["[[:alpha:]]", null, null],
    ["a{2}{3}", null, null],
    ["(", null, null],
  ];
  test.each(bounds)("%s costs %p ways, degree %p", (pattern, ways, degree) => {
    const work = workOf(pattern);
    if (ways === null) return expect(work).toBeNull();
    expect(work!.degree).toBe(degree!);
    if (ways === 1e9) expect(work!.ways).toBeGreaterThanOrEqual(1e9);
    else expect(work!.ways).toBe(ways);
  });
});

describe("bounds", () => {
  /** A clock that moves on by so much whenever it is looked at. */
  const ticking = (ms: number) => {
    let now = 0;
    return () => now += ms;
  };
  const long = `${mail} `.repeat(20_000);

  test("what is left when time is up is dropped, not stored raw", () => {
    const { kept, counts } = redacted({ prompt: long, response: long }, { nowMs: ticking(400) });
    expect(kept).toEqual({ prompt: "[dropped: not scanned]", response: "[dropped: not scanned]" });
    expect(counts).toEqual({ NOT_SCANNED: 2 });
  });
  test("of a request whose time is up, nothing more is scanned", () => {
    const redactor = redactorOf({ nowMs: () => 1000 });
    const [early, late] = [{ prompt: mail }, { prompt: mail }];
    expect(redactor.redact(early, 1000)?.counts).toEqual({ EMAIL_ADDRESS: 1 });
    expect(redactor.redact(late, 999)?.counts).toEqual({ NOT_SCANNED: 1 });
    expect(late.prompt).toBe("[dropped: not scanned]");
  });
  test("but kept and counted when nothing is masked at all", () => {
    const { kept, counts } = redacted({ prompt: long }, { nowMs: ticking(400), mode: "detect" });
    expect(kept.prompt).toBe(long);
    expect(counts).toEqual({ NOT_SCANNED: 1 });
  });
  test("a detector that throws drops the text", () => {
    const redactor = redactorOf({
      nowMs: () => 0,
      custom: [{ name: "TICKET", pattern: "acme" }],
    });
    redactor.settings.custom[0]!.pattern.each = () => {
      throw new Error("a bug");
    };
    const event = { prompt: "hello", response: 7 };
    expect(redactor.redact(event)?.counts).toEqual({ NOT_SCANNED: 1 });
    expect(event).toEqual({ prompt: "[dropped: not scanned]", response: 7 });
  });
  test("a pattern that is slow again and again is switched off and told", () => {
    const slow: string[] = [];
    const redactor = redactorOf({
      custom: [{ name: "TICKET", pattern: "acme" }],
      nowMs: ticking(26),
      onSlow: (name) => slow.push(name),
    });
    for (let at = 0; at < 20; at++) redactor.redact({ prompt: "acme" });
    expect(slow).toEqual(["TICKET"]);
    expect([...redactor.switchedOff]).toEqual(["TICKET"]);
  });
  test("any depth", () => {
    let value: unknown = mail;
    for (let depth = 0; depth < 100_000; depth++) value = depth % 2 ? [value] : { value };
    const event = { attributes: value };
    expect(redactorOf({}).redact(event)?.counts).toEqual({ EMAIL_ADDRESS: 1 });
  });
});

const million = 1_000_000;
const adversarial = [
  "@",
  "1",
  "1 ",
  "1.",
  "1-",
  "4111 ",
  "a",
  "a@",
  "a@b.co ",
  "://",
  "://a:b@",
  "12:",
  "ab:",
  "ab-12-",
  ":",
  "eyJ",
  "eyJ.",
  "-----BEGIN PRIVATE KEY-----",
  "password=",
  'key: "',
  "token='",
  "key=key=",
  "sk-",
  "DE89 ",
  "A1 ",
  "A1",
  "+1 ",
  "(1",
  "[",
  "[A",
  "[SECRET]",
  "bearer ",
  "bc1q",
  "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf ",
  "AB 12 34 56 ",
  "\u0130",
  "\ud800",
  "﷽",
  "ignore all previous ",
  "![](http://",
  "\u{e0041}",
  "\u200b",
  "phone 415 ",
  "order ",
  "x-",
]; // deno-fmt-ignore-line
test.each(adversarial)("a million characters of %j end in time", (piece) => {
  const text = piece.repeat(million / piece.length);
  const redactor = redactorOf({
    nowMs: () => performance.now(),
    custom: [{ name: "EVIL", pattern: "(a+)+$" }, { name: "WIDE", pattern: "[a-z]+@[a-z]+" }],
    policy: { banned_terms: ["falcon", "größe"], prompt_injection: true },
  });
  const start = performance.now();
  redactor.redact({ event_id: "e", prompt: text });
  // A bound of half a second, on a machine that is busy with other tests.
  expect(performance.now() - start).toBeLessThan(5000);
});

describe("whatever is sent", () => {
  const planted = makeSet(7).filter(({ planted }) => planted.length > 0);
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."0123456789 .-:@/[]()+AaBb=\"'"), maxLength: 80 }),
    fc.constantFrom(...planted.map((sample) => sample.text)),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.double(),
      fc.constant(null),
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(text, fc.constantFrom("password", "phone", "__proto__", "role")),
        tie("json"),
        { maxKeys: 4 },
      ),
    ),
  }));
  const event = fc.record({
    prompt: json,
    attributes: json,
    user_id: json,
    tags: json,
    model: text,
  }, { requiredKeys: [] });
  const mode = fc.constantFrom("detect", "mask", "hash", "drop");
  const shape = (value: unknown): unknown =>
    typeof value === "string"
      ? "text"
      : Array.isArray(value)
      ? value.map(shape)
      : typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, entry]) => [key, shape(entry)])
      : value;

  test("nothing is thrown, structure stays, and a second time finds nothing", () => {
    fc.assert(
      fc.property(event, mode, (value, mode) => {
        const redactor = redactorOf({
          mode: mode as Given["mode"],
          policy: { banned_terms: [], prompt_injection: true },
        });
        const kept = structuredClone(value) as Record<string, unknown>;
        const found = redactor.redact(kept);
        delete kept.event_id;
        expect(shape(kept)).toEqual(shape(value));
        if (mode === "detect") return expect(kept).toEqual(value);
        const again = structuredClone(kept);
        const { PROMPT_INJECTION: _, ...rest } = redactor.redact(again)?.counts ?? {};
        expect(rest).toEqual({});
        delete again.event_id;
        expect(again).toEqual(kept);
        if (found === null) expect(kept).toEqual(value);
      }),
      { numRuns: 400 },
    );
  });

  test("nothing that was planted survives", () => {
    for (const mode of ["mask", "hash", "drop"] as const) {
      const redactor = redactorOf({ mode });
      const survivors = planted.filter(({ text, planted }) => {
        const event = { prompt: text };
        redactor.redact(event);
        return planted.some(({ start, end }) => event.prompt.includes(text.slice(start, end)));
      });
      expect(survivors.map(({ text }) => text)).toEqual([]);
    }
  });
});
