import { expect, test } from "bun:test";
import { conventionsPath, conventionsText } from "../../scripts/conventions.ts";

test("the table of conventions is what the mapping does", async () => {
  expect(await Bun.file(conventionsPath).text()).toBe(conventionsText());
});
