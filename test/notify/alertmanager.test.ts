// A real Alertmanager takes what we send: an alert that begins, rises and ends there too.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testAlertmanager } from "../../scripts/alertmanager.ts";
import type { Transport } from "../../src/notify/channel.ts";
import { alertmanager } from "../../src/notify/alertmanager.ts";
import { freePort } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { alert, notification, transport } from "./fixture.ts";
import { eventually } from "./receiver.ts";

const program = await testAlertmanager();

interface Alert {
  labels: Record<string, string>;
  status: { state: string };
}

test.if(program !== null)("an alert begins, rises and ends", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder.path, "data"));
  const config = join(folder.path, "config.yml");
  writeFileSync(config, "route:\n  receiver: none\nreceivers:\n  - name: none\n");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = Bun.spawn([
    program!.path,
    `--config.file=${config}`,
    `--storage.path=${join(folder.path, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
  ], { cwd: program!.cwd, stdout: "ignore", stderr: "ignore" });
  try {
    await eventually(async () => {
      const ready = await fetch(`${url}/-/ready`).catch(() => null);
      return ready?.ok;
    });
    const active = async () => {
      const alerts = await (await fetch(`${url}/api/v2/alerts?active=true`)).json() as Alert[];
      return alerts.map(({ labels }) => `${labels.alertname} ${labels.severity}`).sort();
    };
    const nowMs = Date.now();
    const began = alert({ level: "warning", started_at: nowMs - 60_000, fired_at: nowMs - 60_000 });
    // Alertmanager has a clock of its own.
    const out: Transport = { ...transport(), nowMs: () => nowMs };
    const send = async (kind: "firing" | "escalated" | "resolved", one: typeof began) => {
      const told = { ...notification(kind, [one]), at: new Date(nowMs - 1000).toISOString() };
      expect(await alertmanager.send({ url }, told, out)).toEqual({ ok: true, status: 200 });
    };
    await send("firing", began);
    expect(await active()).toEqual(["Errors <b> & *co* warning"]);
    const raised = { ...began, level: "critical" as const };
    await send("escalated", raised);
    expect(await active()).toEqual(["Errors <b> & *co* critical"]);
    await send("resolved", { ...raised, resolved_at: nowMs - 1000, resolved_reason: "recovered" });
    expect(await active()).toEqual([]);
    expect(await alertmanager.send({ url }, notification("test"), out)).toMatchObject({ ok: true });
    expect(await active()).toEqual(["WatchLLM test info"]);
  } finally {
    child.kill();
    await child.exited;
    folder.remove();
  }
}, 60_000);
