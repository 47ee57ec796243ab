// Rules as a file: what would change is shown, then made; made twice, nothing changes.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnvironment, fromSource } from "../end_to_end/binary.ts";
import { keys, startTestServer, type TestServer } from "../serve/fixture.ts";
import { temporaryFolder } from "../store/fixture.ts";

const folder = temporaryFolder();
const file = join(folder.path, "rules.yaml");
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.ask("/api/channels", "shop", {
    method: "POST",
    body: JSON.stringify({ type: "slack", name: "Ops", url: "https://hooks.example.com/x" }),
  });
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

async function rules(verb: string, yaml: string | null, ...flags: string[]) {
  if (yaml !== null) writeFileSync(file, yaml);
  const access = ["--url", server.url, "--key", keys.shop];
  const words = verb === "apply" ? [verb, file] : [verb];
  const child = Bun.spawn([...fromSource, "rules", ...words, ...access, ...flags], {
    cwd: folder.path,
    env: bareEnvironment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

const two = `
rules:
  - name: Errors
    metric: error_rate
    filter: { env: production }
    critical: 0.05
    channels: [Ops]
  - name: Spend
    metric: cost_usd
    group_by: user_id
    window_minutes: 1440
    critical: 10
`;

test("shown first, then made, then nothing is left to do", async () => {
  const shown = await rules("apply", two);
  expect(shown).toMatchObject({ out: "+ Errors\n+ Spend\n", code: 1 });
  expect(shown.err).toContain("Nothing was changed");
  expect((await rules("apply", two, "--yes")).code).toBe(0);
  expect(await rules("apply", two)).toMatchObject({ out: "", code: 0 });

  const changed = two.replace("0.05", "0.1").replace("channels: [Ops]", "channels: []");
  const difference = await rules("apply", changed);
  expect(difference.out).toBe('~ Errors\n    critical: 0.05 → 0.1\n    channels: ["Ops"] → []\n');
  const { out } = await rules("export", null);
  expect(out).toContain("- Ops");
  expect(await rules("apply", out)).toMatchObject({ out: "", code: 0 });
  const one = await rules(
    "apply",
    two.slice(0, two.indexOf("  - name: Spend")),
    "--delete",
    "--yes",
  );
  expect(one).toMatchObject({ out: "- Spend\n", code: 0 });
}, 60_000);

test.each([
  ["rules: {}", "a list"],
  ["rules: [", "no YAML"],
  ["rules: []\nchannels: []", "channels"],
  ["rules:\n  - name: X\n    metric: errors\n    critical: 1\n    chanels: []", "chanels"],
  ["rules:\n  - name: X\n    metric: errors", 'Rule "X": critical'],
  ["rules:\n  - name: X\n    metric: errors\n    critical: 1\n    channels: [Nobody]", "Nobody"],
])("%j is refused with a word about %s", async (yaml, word) => {
  const { code, err } = await rules("apply", yaml, "--yes");
  expect(err).toContain(word);
  expect(code).toBe(1);
}, 30_000);
