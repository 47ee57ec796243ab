// Rules, channels, alerts, deliveries and monitors, in the SQLite file of the state. It has a
// connection of its own, and a synchronous one: a transaction that waits for nothing else of this
// process cannot meet the state's, and a rule's state and what is to be told of it are on disk together
// or not.
import { Database } from "bun:sqlite";
import { Channels } from "./alerts/channels.ts";
import { Checks } from "./alerts/checks.ts";
import { History } from "./alerts/history.ts";
import { Issues } from "./alerts/issues.ts";
import { Monitors } from "./alerts/monitors.ts";
import { Outbox } from "./alerts/outbox.ts";
import { Rules } from "./alerts/rules.ts";

const busyMs = 5000;

export class AlertStore {
  readonly rules: Rules;
  readonly channels: Channels;
  readonly alerts: History;
  readonly outbox: Outbox;
  readonly monitors: Monitors;
  readonly checks: Checks;
  readonly issues: Issues;
  #database: Database;
  #seenVersion: number | null = null;

  /** The state's tables are up to date: it is opened first. */
  constructor(path: string) {
    const database = new Database(path, { strict: true });
    database.run(`PRAGMA busy_timeout = ${busyMs}`);
    database.run("PRAGMA synchronous = FULL");
    database.run("PRAGMA foreign_keys = ON");
    this.#database = database;
    this.rules = new Rules(database);
    this.channels = new Channels(database);
    this.alerts = new History(database);
    this.outbox = new Outbox(database);
    this.monitors = new Monitors(database);
    this.checks = new Checks(database);
    this.issues = new Issues(database);
    this.refresh();
  }

  /** Takes over what others have changed: a project that was deleted takes its rules with it. */
  refresh(): void {
    const row = this.#database.query<{ data_version: number }, []>("PRAGMA data_version").get();
    const version = row?.data_version ?? null;
    if (version !== null && version === this.#seenVersion) return;
    this.rules.load();
    this.channels.load();
    this.monitors.load();
    this.#seenVersion = version;
  }

  /** All of the work is on disk when this returns, or none of it. The work is synchronous. */
  commit<T>(work: () => T): T {
    try {
      return this.#database.transaction(work).immediate();
    } catch (error) {
      // What is in memory may be ahead of the disk now.
      this.#seenVersion = null;
      throw error;
    }
  }

  prune(before: string): void {
    this.commit(() => {
      this.alerts.prune(before);
      this.outbox.prune(before);
    });
  }

  close(): void {
    this.#database.close();
  }
}
