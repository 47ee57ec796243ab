// The SDK's vocabulary is the server's.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type EventType, eventTypes, type FieldName, fields } from "../../../src/event.ts";
import { generate, sent } from "../generate.ts";
import manifest from "../package.json" with { type: "json" };
import { type AnyEvent, version } from "../src/index.ts";

const text = readFileSync(join(import.meta.dir, "../src/event.ts"), "utf8");

test("the types are those that the field table gives", () => {
  expect(text).toBe(generate());
});

test("AnyEvent has every field that a program can send", () => {
  const body = text.slice(
    text.indexOf("interface EventFields"),
    text.indexOf("interface PromptCall"),
  ) +
    text.slice(
      text.indexOf("interface AnyEvent"),
      text.indexOf("const fieldKinds"),
    );
  const members = [...body.matchAll(/^ {2}(\w+)\??: /gm)].map((match) => match[1]!);
  expect(members.sort()).toEqual(
    [...sent.map((field) => field.name), "event_type"].sort(),
  );
});

test("every enum has the table's values", () => {
  for (const field of fields) {
    if (field.kind !== "enum") continue;
    for (const value of field.values) {
      expect(text).toContain(`| ${JSON.stringify(value)}`);
    }
  }
});

// These two do not compile when the vocabularies differ.
const names: readonly Exclude<keyof AnyEvent, FieldName>[] = [];
const types: readonly EventType[] = eventTypes satisfies readonly AnyEvent["event_type"][];

test("the compiler agrees", () => {
  expect(names).toEqual([]);
  expect(types).toHaveLength(eventTypes.length);
});

test("the version is the package's", () => {
  expect(version).toBe(manifest.version);
});
