// What was stored but not yet noted when the server was killed is noted at the next start, as it would
// have been; and noting it twice changes nothing.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Issues } from "../src/issues.ts";
import { systemClock } from "../src/std/clock.ts";
import { AlertStore } from "../src/store/alerts.ts";
import { openState } from "../src/store/state.ts";
import { openStore, temporaryFolder } from "./store/fixture.ts";

test("a kill between storing and noting loses no issue, and reading it again changes nothing", async () => {
  const folder = temporaryFolder();
  const state = await openState(join(folder.path, "state.db"));
  await state.createProject("shop");
  const lake = await openStore(folder.path);
  const store = new AlertStore(join(folder.path, "state.db"));
  const start = () =>
    new Issues({
      store,
      reader: lake.store.reader,
      projects: () => state.projects,
      setting: (project_id, name) => state.setting(project_id, name),
      clock: systemClock,
      wake: () => {},
      onError: (_what, error) => {
        throw error;
      },
    });
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const failed = (event_id: string, ago: number, release: string) => ({
    event_id,
    event_type: "error",
    error: { type: "Boom", message: "no" },
    timestamp: at(ago),
    release,
  });
  try {
    await lake.send([failed("one", 5, "1.0.0"), failed("two", 9, "0.9.0")]);
    const first = start();
    first.start();
    await first.tick();
    await first.stop();
    const [record, ...others] = store.issues.all("shop");
    expect(others).toEqual([]);
    expect(record).toMatchObject({ state: "open", first_release: "0.9.0" });
    expect(store.issues.releases("shop")).toEqual(["0.9.0", "1.0.0"]);
    store.issues.put("shop", { ...record!, state: "resolved", resolved_at: at(2) });
    // Stored, and never noted.
    await lake.send([failed("three", 1, "1.1.0")]);
    for (let round = 0; round < 2; round++) {
      const again = start();
      again.start();
      await again.tick();
      await again.stop();
      expect(store.issues.all("shop")).toMatchObject([{
        issue: record!.issue,
        state: "regressed",
        regressed_in: "1.1.0",
        first_release: "0.9.0",
      }]);
    }
  } finally {
    store.close();
    await lake.close();
    await state.close();
    folder.remove();
  }
});
