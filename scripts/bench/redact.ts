// What redaction costs: time per event beside JSON.parse and JSON.stringify of the same event, and
// the rate of the way in (parse, check, line of the log) with it beside the rate without.
import { noSteps, receiveBatch, type Steps } from "../../src/receive/batch.ts";
import { Redactor } from "../../src/redact/redactor.ts";
import { compileSettings, defaultSettings } from "../../src/redact/settings.ts";
import { makeSet } from "../redaction_set.ts";
import { makeEvents } from "./events.ts";

const tiny = process.argv.includes("--tiny");
const events = tiny ? 20 : 1000;
const rounds = tiny ? 1 : 15;
const untilMs = Date.UTC(2026, 0, 1);

type Value = Record<string, unknown>;

/** What a tool answers: JSON in a text, full of numbers, times and ids. */
function toolEvents(): Value[] {
  const row = (at: number) => ({
    flight: `HAT${100 + at % 800}`,
    date: `2024-05-${10 + at % 18}`,
    departs: `2024-05-${10 + at % 18}T0${at % 9}:15:00`,
    prices: { economy: 96 + at % 97, business: 303 + at % 41 },
    seats: { economy: at % 18, business: at % 4 },
    id: `7c9e6679-7425-40de-944b-${String(100000000000 + at)}`,
  });
  return makeEvents(2, 0, events, 600, untilMs).map((event, at) => ({
    ...event,
    response: JSON.stringify(Array.from({ length: 6 }, (_, part) => row(at * 7 + part))),
  }));
}

/** Every event holds two findings in some 1,000 characters. */
function personalEvents(): Value[] {
  const planted = makeSet(3).filter((sample) => sample.planted.length > 0);
  return makeEvents(3, 0, events, 1200, untilMs).map((event, at) => ({
    ...event,
    prompt: `${event.prompt} ${planted[at % planted.length]!.text}`,
    response: `${event.response} ${planted[(at * 31) % planted.length]!.text}`,
  }));
}

const sets: [name: string, values: Value[]][] = [
  ["1 KB of prose", makeEvents(1, 0, events, 1000, untilMs)],
  ["4 KB of prose", makeEvents(1, 0, events, 4000, untilMs)],
  ["1 KB of a tool's JSON", toolEvents()],
  ["1 KB, two findings", personalEvents()],
];

function redactor(mode: "mask" | "hash", policy = false): Redactor {
  const settings = defaultSettings(mode);
  settings.policy = { banned_terms: policy ? ["falcon"] : [], prompt_injection: policy };
  const compiled = compileSettings(settings);
  if ("refused" in compiled) throw new Error(compiled.refused.message);
  return new Redactor(compiled, {
    key: "bench",
    nowMs: () => performance.now(),
    newId: Bun.randomUUIDv7,
  });
}

const receipt = {
  received_at: "2026-01-01T00:00:00.000000Z",
  project_id: "bench",
  latestMs: untilMs + 86_400_000,
  newId: Bun.randomUUIDv7,
};

/** Best of some rounds in microseconds for one event; the least disturbed is the truest. */
function best(texts: string[], work: (texts: string[]) => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work(texts);
    least = Math.min(least, performance.now() - start);
  }
  return least / texts.length * 1000;
}

function wayIn(texts: string[], steps: Steps): void {
  for (let at = 0; at < texts.length; at += 100) {
    const values = texts.slice(at, at + 100).map((text) => JSON.parse(text) as unknown);
    receiveBatch(values, receipt, steps);
  }
}

// One round over everything first, so that no set is measured with code that is still being compiled.
const warm = redactor("mask", true);
for (let round = 0; round < rounds; round++) {
  for (const [, values] of sets) for (const value of values) warm.redact(structuredClone(value));
}

for (const [name, values] of sets) {
  const texts = values.map((value) => JSON.stringify(value));
  const mask = redactor("mask"), scanned = redactor("mask", true);
  const json = best(texts, (texts) => texts.forEach((text) => JSON.stringify(JSON.parse(text))));
  const parse = best(texts, (texts) => texts.forEach((text) => JSON.parse(text)));
  const both = best(texts, (texts) => texts.forEach((text) => mask.redact(JSON.parse(text))));
  const off = best(texts, (texts) => wayIn(texts, noSteps));
  const on = best(
    texts,
    (texts) => wayIn(texts, { ...noSteps, redact: (value) => mask.redact(value) }),
  );
  const policy = best(
    texts,
    (texts) => wayIn(texts, { ...noSteps, redact: (value) => scanned.redact(value) }),
  );
  console.log(
    `${name}: redact ${(both - parse).toFixed(1)} µs, ${((both - parse) / json).toFixed(2)} of ` +
      `JSON's ${json.toFixed(1)} µs; way in ${off.toFixed(1)} µs, ` +
      `${(off / on).toFixed(2)} of its rate with redaction, ` +
      `${(off / policy).toFixed(2)} with the policy scan too`,
  );
}
