// The conformance cases against a real server, and with the real client libraries of providers.
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../../test/end_to_end/binary.ts";
import * as aisentry from "../src/index.ts";
import { type Call, caseFiles, judge, type Named, options, perform, readCases } from "./cases.ts";
import { libraries, triedSet } from "./libraries/install.ts";
import { callProvider, makeClient, type ProviderName, startStandIn } from "./provide.ts";

const key = "a-key-of-sixteen-or-more";
const dataDir = mkdtempSync(join(tmpdir(), "aisentry-conformance-"));
const standIn = startStandIn();
const warned = spyOn(console, "warn").mockImplementation(() => {});
let server: RunningServer;
let folder: string;
// What needs no library is the same beside each set.
const tried = triedSet === "newest" ? caseFiles : ["providers.json"];

beforeAll(async () => {
  folder = await libraries(triedSet);
  server = await startServer({
    dataDir,
    env: { WATCHLLM_INIT_PROJECT: "tests", WATCHLLM_INIT_KEY: key },
  });
}, 300_000);
afterAll(async () => {
  warned.mockRestore();
  standIn[Symbol.dispose]();
  await server?.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

async function stored(env: string): Promise<Named[]> {
  const response = await fetch(
    `${server.url}/api/events?env=${env}&limit=1000`,
    {
      headers: { authorization: `Bearer ${key}` },
    },
  );
  if (!response.ok) throw new Error(await response.text());
  return (await response.json() as { events: Named[] }).events;
}

async function provide(call: Call): Promise<unknown> {
  standIn.exchanges.splice(0, Infinity, call.exchange!);
  const client = await makeClient(folder, call.client as ProviderName, standIn.url);
  expect(aisentry.wrap(client)).toBe(client);
  return await callProvider(client, call);
}

let number = 0;
for (const file of tried) {
  describe(file === "providers.json" ? `${file}, ${triedSet} libraries` : file, () => {
    const cases = readCases(file).map((one) => [one.name, one] as const);
    test.each(cases)("%s", async (_name, one) => {
      const env = `case-${++number}`;
      const dsn = `http://${key}@127.0.0.1:${server.port}/tests`;
      aisentry.init({ ...options(one.init), dsn, env });
      try {
        await perform(one.calls, provide);
        expect(await aisentry.flush(10_000)).toBe(true);
        expect(judge(await stored(env), one.events)).toBeNull();
        expect(aisentry.stats()!.dropped).toEqual(one.dropped as object ?? {});
      } finally {
        await aisentry.close(1000);
      }
    });
  });
}
