import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { dictionaries } from "../../scripts/dictionary.ts";

for (const { path, text } of dictionaries) {
  test(`${basename(path)} is that of src/; if not, run \`deno task dictionary\``, () => {
    expect(readFileSync(path, "utf8")).toBe(text());
  });
}
