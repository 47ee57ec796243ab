// What the tests log with: a client by itself, or the package as a program uses it.
import { expect } from "bun:test";
import { Client } from "../src/client.ts";
import * as aisentry from "../src/index.ts";
import { readSettings } from "../src/settings.ts";
import { startReceiver, type StoredEvent } from "./receiver.ts";

export function startClient(
  dsn: string,
  options: aisentry.Options = {},
): Client {
  return new Client(readSettings({ ...options, dsn }, console.warn)!);
}

/** Logs events that are named by their number. */
export function log(client: Client, count: number, fields: object = {}): void {
  for (let i = 0; i < count; i++) {
    client.log("prompt_call", { model: "m", name: `${i}`, ...fields });
  }
}

/** What arrives of the calls. The package is left running, for its `stats`. */
export async function sentBy(
  calls: () => unknown,
  options: aisentry.Options = {},
): Promise<StoredEvent[]> {
  using receiver = startReceiver();
  aisentry.init({ ...options, dsn: receiver.dsn });
  await calls();
  expect(await aisentry.flush(4000)).toBe(true);
  expect(receiver.complaints).toEqual([]);
  expect(aisentry.stats()?.dropped.internal_error).toBeUndefined();
  return [...receiver.events.values()];
}

/** An event without the fields that every event has. */
export function bare(
  { event_id: _1, timestamp: _2, client: _3, ...fields }: StoredEvent,
) {
  return fields;
}
