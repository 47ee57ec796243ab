// The built binary is killed again and again while clients write. What they were told is stored
// must be there, once, by every way of asking: the API, SQL, and a DuckDB that is not ours.
import { expect, test } from "bun:test";
import { temporaryFolder } from "../store/fixture.ts";
import { testPython } from "../../scripts/python.ts";
import { startServer } from "./binary.ts";
import { busyEnv, countedSql, expectAll, Writer } from "./writers.ts";

/** More with WATCHLLM_TEST_KILLS, for a soak. */
const kills = Number(process.env.WATCHLLM_TEST_KILLS ?? 8);
const clients = 4;

test("durability: killed at random instants, nothing acknowledged is lost or doubled", async () => {
  const folder = temporaryFolder();
  const team = Array.from({ length: clients }, (_, at) => new Writer(`client${at}`));
  try {
    for (let kill = 0; kill < kills; kill++) {
      const server = await startServer({ dataDir: folder.path, env: busyEnv });
      const writing = team.map((client) => client.write(server.url));
      await Bun.sleep(100 + Math.random() * 1500);
      await server.kill();
      await Promise.all(writing);
    }
    const acknowledged = team.reduce((sum, client) => sum + client.acknowledged.size, 0);
    expect(acknowledged).toBeGreaterThan(kills);

    const server = await startServer({ dataDir: folder.path, env: busyEnv });
    const stored = await expectAll(server, team);
    expect(await server.stop()).toBe(0);

    const python = await testPython();
    if (python === null) return;
    const glob = `${folder.path}/events/*/*/*.parquet`;
    const outside = Bun.spawnSync([
      python,
      "-c",
      `import duckdb; print(duckdb.sql("${countedSql.replace("events", `'${glob}'`)}").fetchall())`,
    ]);
    expect(outside.stdout.toString().trim() || outside.stderr.toString()).toBe(
      `[(${stored}, ${stored}, ${3 * stored})]`,
    );
  } finally {
    folder.remove();
  }
}, 120_000 + kills * 5000);
