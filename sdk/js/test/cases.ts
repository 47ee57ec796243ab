// The conformance cases, as ../../conformance/README.md describes them: what their calls mean in
// JavaScript, and what their expectations match.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as aisentry from "../src/index.ts";

export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};
export type Named = { [name: string]: Json };

export interface Call {
  verb: string;
  with?: Named;
  args?: Json[];
  inside?: Call[];
  from?: Json;
  form?: string;
  yields?: Json[];
  returns?: Json;
  take?: number;
  value?: Json;
  checks?: [string, ...Json[]][];
  raises?: Json;
  gives?: Json;
  client?: string;
  method?: string;
  exchange?: string;
}

export interface Case {
  name: string;
  init?: Named;
  calls: Call[];
  events: Named[];
  dropped?: Named;
}

const folder = join(import.meta.dir, "../../conformance");

export function readCases(file: string): Case[] {
  return JSON.parse(readFileSync(join(folder, file), "utf8"));
}

export const caseFiles = readdirSync(folder).filter((name) => name.endsWith(".json"));

export interface Exchange {
  request: { path: string };
  response: {
    status: number;
    content_type: string;
    body?: Json;
    text?: string;
  };
}

export function readExchange(name: string): Exchange {
  return JSON.parse(
    readFileSync(join(folder, "exchanges", `${name}.json`), "utf8"),
  );
}

export class ConformanceError extends Error {}

/** What stands for a value that JSON cannot say. */
export function real(value: Json | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(real);
  const make = typeof value.$value === "string" ? makers[value.$value] : undefined;
  if (make !== undefined) return make(value);
  if (value.$answers !== undefined) return () => value.$answers;
  if (value.$raises !== undefined) return () => raise(String(value.$raises));
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, real(entry)]),
  );
}

function raise(message: string): never {
  throw new ConformanceError(message);
}

const makers: Record<string, (told: Named) => unknown> = {
  "nan": () => NaN,
  "inf": () => Infinity,
  "-inf": () => -Infinity,
  "undefined": () => undefined,
  "cyclic_object": () => {
    const object: { self?: unknown } = {};
    object.self = object;
    return object;
  },
  "cyclic_list": () => {
    const list: unknown[] = [];
    list.push(list);
    return list;
  },
  "bytes": ({ hex }) => Uint8Array.from(Buffer.from(String(hex), "hex")),
  "integer": ({ digits }) => BigInt(String(digits)),
  "text": ({ of, times }) => String(of).repeat(Number(times)),
  "nested": ({ levels }) => {
    let nested: unknown = "bottom";
    for (let level = 0; level < Number(levels); level++) nested = [nested];
    return nested;
  },
  "date": ({ iso }) => new Date(String(iso)),
  "set": ({ of }) => new Set(real(of) as unknown[]),
  "function": () => function something() {},
  "unreadable": () =>
    new Proxy({}, {
      ownKeys: () => raise("unreadable"),
      get: () => raise("unreadable"),
    }),
  "error": ({ message }) => new ConformanceError(String(message)),
  "lone_surrogate": () => "\ud800",
};

/** Options of `init`, whose hooks are written as data. */
export function options(told: Named = {}): aisentry.Options {
  const { before_send, redact, ...rest } = told;
  return {
    ...rest as aisentry.Options,
    ...(before_send && { before_send: hook(before_send as Named) as never }),
    ...(redact !== undefined && {
      redact: (typeof redact === "object" && !Array.isArray(redact)
        ? hook(redact as Named)
        : redact) as aisentry.Redact,
    }),
  };
}

function hook({ $hook, fields }: Named): (value: unknown) => unknown {
  switch ($hook) {
    case "raises":
      return () => raise("hook");
    case "drops":
      return () => null;
    case "sets":
      return (event) => ({ ...event as object, ...fields as object });
    case "shouts":
      return (text) => String(text).toUpperCase();
  }
  throw new Error(`no hook ${$hook}`);
}

/** Calls a provider's client; told by whoever has the libraries. */
export type Provide = (call: Call) => Promise<unknown>;

export async function perform(
  calls: readonly Call[],
  provide: Provide,
): Promise<void> {
  for (const call of calls) {
    let given: unknown;
    let thrown: unknown;
    try {
      given = await verbOf(call)(call, provide);
    } catch (error) {
      thrown = error;
    }
    // What a span or a function raises by itself is what it must pass on.
    const raises = typeof call.raises === "object" ? (call.raises as Named).message : call.raises;
    const message = thrown instanceof Error ? thrown.message : thrown;
    if (raises === undefined) {
      if (thrown !== undefined) throw thrown;
    } else if (!String(message).includes(String(raises))) {
      throw new Error(
        `${call.verb} should have raised ${raises}, not: ${message}`,
      );
    }
    // A span that raises by itself does so into the span around it.
    if (typeof call.raises === "object") throw thrown;
    if (call.gives !== undefined) {
      const problem = mismatch(given, call.gives, new Map(), "it");
      if (problem !== null) {
        throw new Error(`${call.verb} gives something else: ${problem}`);
      }
    }
  }
}

type Verb = (call: Call, provide: Provide) => unknown;

function verbOf({ verb }: Call): Verb {
  const own = verbs[verb];
  if (own !== undefined) return own;
  const name = verb.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  const method = (aisentry as unknown as Record<string, (...args: unknown[]) => unknown>)[
    name
  ];
  if (method === undefined) throw new Error(`no verb ${verb}`);
  return (call) =>
    call.with === undefined ? method(...(call.args ?? []).map(real)) : method(real(call.with));
}

const verbs: Record<string, Verb> = {
  log_error: (call) => aisentry.logError(real(call.with)),
  span: (call, provide) => {
    const { name, ...given } = real(call.with) as Named;
    const fields = { ...given, ...aisentry.extract(call.from) };
    return aisentry.span(
      String(name),
      fields as aisentry.SpanFields,
      async () => {
        await perform(call.inside ?? [], provide);
        if (typeof call.raises === "object") throw real(call.raises);
      },
    );
  },
  span_set: (call) => aisentry.currentSpan()!.set(real(call.with) as Named),
  observe: (call) => observed(call),
  expect: (call) => {
    const expectation = aisentry.expect(
      real(call.value),
      real(call.with) as aisentry.ExpectOptions,
    );
    for (const [check, ...args] of call.checks ?? []) {
      const method = expectation[check as "contains"] as (
        ...args: unknown[]
      ) => unknown;
      method.apply(expectation, args.map(real));
    }
    return expectation.ok;
  },
  provider: (call, provide) => provide(call),
};

async function observed(call: Call): Promise<unknown> {
  const { yields = [], inside = [], take = Infinity } = call;
  const args = (call.args ?? []).map(real);
  const options = { ...call.with } as aisentry.ObserveOptions;
  const log = () => {
    // All of the calls inside are synchronous.
    for (const one of inside) {
      void verbOf(one)(one, () => Promise.reject(new Error("inside")));
    }
  };
  const end = () => {
    if (call.raises !== undefined) raise(String(call.raises));
    return real(call.returns);
  };
  switch (call.form) {
    case "function":
      return aisentry.observe((..._args: unknown[]) => (log(), end()), options)(
        ...args,
      );
    case "async":
      return await aisentry.observe(async (..._args: unknown[]) => {
        await Promise.resolve();
        log();
        return end();
      }, options)(...args);
  }
  const taken: unknown[] = [];
  if (call.form === "generator") {
    const generator = aisentry.observe(function* (..._args: unknown[]) {
      log();
      yield* yields.map(real);
      end();
    }, options);
    for (const value of generator(...args)) {
      taken.push(value);
      if (taken.length === take) break;
    }
  } else {
    const generator = aisentry.observe(async function* (..._args: unknown[]) {
      await Promise.resolve();
      log();
      yield* yields.map(real);
      end();
    }, options);
    for await (const value of generator(...args)) {
      taken.push(value);
      if (taken.length === take) break;
    }
  }
  return taken;
}

/** What of the expectation a value does not meet; null when it meets it. `ids` are bound to texts. */
export function mismatch(
  value: unknown,
  expected: Json,
  ids: Map<string, unknown>,
  path: string,
): string | null {
  const no = `${path} is ${JSON.stringify(value)}, not ${JSON.stringify(expected)}`;
  if (typeof expected !== "object" || expected === null) {
    return Object.is(value ?? null, expected) ? null : no;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length) return no;
    return first(
      expected,
      (entry, at) => mismatch(value[at], entry, ids, `${path}[${at}]`),
    );
  }
  const [name, told] = Object.entries(expected)[0] ?? [];
  const match = name === undefined ? undefined : matchers[name];
  if (match !== undefined) return match(value, told!, ids) ? null : no;
  if (typeof value !== "object" || value === null) return no;
  return first(Object.entries(expected), ([key, entry]) => {
    const member = Object.getOwnPropertyDescriptor(value, key)?.value;
    return mismatch(member, entry, ids, `${path}.${key}`);
  });
}

function first<T>(
  list: readonly T[],
  test: (one: T, at: number) => string | null,
): string | null {
  for (const [at, one] of list.entries()) {
    const problem = test(one, at);
    if (problem !== null) return problem;
  }
  return null;
}

const matchers: Record<
  string,
  (value: unknown, told: Json, ids: Map<string, unknown>) => boolean
> = {
  $is: (value, told) => (value ?? null) === null === (told === "absent"),
  $text: (value, told) => typeof value === "string" && new RegExp(String(told)).test(value),
  $between: (value, told) => {
    const [least, most] = told as [number, number];
    return typeof value === "number" && value >= least && value <= most;
  },
  $time: (value, told) => Date.parse(String(value)) === Date.parse(String(told)),
  $id: (value, told, ids) => {
    if (typeof value !== "string") return false;
    if (ids.has(String(told))) return ids.get(String(told)) === value;
    if ([...ids.values()].includes(value)) return false;
    ids.set(String(told), value);
    return true;
  },
};

/** What is wrong with the stored events; null when nothing is. */
export function judge(stored: Named[], expected: Named[]): string | null {
  const ids = new Map<string, unknown>();
  const left = [...stored];
  for (const event of expected) {
    const problems: string[] = [];
    const at = left.findIndex((one) => {
      const bound = new Map(ids);
      const problem = mismatch(one, event, bound, "event");
      if (problem !== null) return void problems.push(problem);
      for (const [id, value] of bound) ids.set(id, value);
      return true;
    });
    if (at < 0) {
      return `${JSON.stringify(event)} was not found:\n  ${problems.join("\n  ")}`;
    }
    left.splice(at, 1);
  }
  return left.length === 0 ? null : `not expected: ${JSON.stringify(left)}`;
}
