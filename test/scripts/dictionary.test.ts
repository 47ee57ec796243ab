import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dictionary, dictionaryPath } from "../../scripts/dictionary.ts";

test("the data dictionary is that of src/event.ts; if not, run `deno task dictionary`", () => {
  expect(readFileSync(dictionaryPath, "utf8")).toBe(dictionary());
});
