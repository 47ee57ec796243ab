// `watchllm price` as a person has it.
import { afterAll, expect, test } from "bun:test";
import { bareEnvironment, fromSource } from "../end_to_end/binary.ts";
import { join } from "node:path";
import { customPricesSetting } from "../../src/price/pricer.ts";
import { openState } from "../../src/store/state.ts";
import { temporaryFolder } from "../store/fixture.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

async function price(...words: string[]) {
  const child = Bun.spawn([...fromSource, "price", ...words], {
    cwd: folder.path,
    env: bareEnvironment({}),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, out, err };
}

test("price: a table that adds up", async () => {
  const words = ["--at", "2026-09-01", "--input", "12_000", "--cache-read", "9000"];
  const { code, out, err } = await price("claude-opus-4-7", ...words, "--output", "800");
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/input +0\.0150\n/);
  expect(out).toMatch(/cache_read +0\.0045\n/);
  expect(out).toMatch(/output +0\.0200\n/);
  expect(out).toMatch(/total +0\.0395\n/);
  expect(out).toContain("anthropic/claude-opus-4-7 by genai-prices");
});

test("price: JSON", async () => {
  const words = ["--tier", "batch", "--input", "1000000", "--format", "json"];
  expect(JSON.parse((await price("gpt-4o", ...words)).out)).toMatchObject({
    cost_usd: 1.25,
    cost_details: { tier: { service: "batch" } },
  });
});

test("price: by the prices of a project", async () => {
  const state = await openState(join(folder.path, "state.db"));
  await state.createProject("shop");
  const custom = [{ match: "mine*", per_million: { input: 3, output: 6 } }];
  await state.setSetting("shop", customPricesSetting, custom);
  await state.close();
  const words = ["mine-7", "--input", "1000000", "--data-dir", folder.path];
  expect((await price(...words)).code).toBe(1);
  const { code, out } = await price(...words, "--project", "shop");
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/total +3\.0000\n[^]*custom\/mine\* by project/),
  ]);
});

test.each<[string, string[], number, string]>([
  ["unknown", ["mystery", "--input", "1"], 1, "No price is known"],
  ["nothing counted", ["gpt-4o"], 1, "--input"],
  ["not a count", ["gpt-4o", "--input", "many"], 2, '--input takes a number of tokens, not "many"'],
  ["not a time", ["gpt-4o", "--input", "1", "--at", "soon"], 2, "--at"],
])("price: %s", async (_, words, code, said) => {
  const ended = await price(...words);
  expect([ended.code, ended.out]).toEqual([code, ""]);
  expect(ended.err).toContain(said);
});
