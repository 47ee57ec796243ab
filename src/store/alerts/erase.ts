// What alerts say of somebody who is erased: alerts and notifications that name them go, and so does
// what rules remember of them. Rules and monitors themselves are settings; they stay.
import type { Database } from "bun:sqlite";
import type { RuleState } from "../../alert/state.ts";
import type { AlertStore } from "../alerts.ts";
import { compactDatabase } from "../sqlite.ts";
import { bareBytesMin } from "../subject.ts";

/** What an alert says of an erased subject; returns how many things went. On disk when it returns. */
export function eraseFromAlerts(
  store: AlertStore,
  project_id: string,
  ids: readonly string[],
): number {
  const { database } = store.alerts;
  const names = (value: unknown) => isNamedIn(JSON.stringify(value), ids);
  const states = store.rules.all().filter((stored) => stored.project_id === project_id)
    .map(({ id }) => ({ id, state: store.rules.state(id) }))
    .filter(({ state }) => names(state))
    .map(({ id, state }) => ({ id, state: without(state, names) }));
  const conditions = (column: string) =>
    ids.map((_, at) => `instr(${column}, ?${at + 2}) > 0`).join(" OR ");
  const forms = formsOf(ids);
  const gone = store.commit(() => {
    database.run("PRAGMA secure_delete = ON");
    let changes = 0;
    for (const texts of forms) {
      for (const [table, columns] of Object.entries(textColumns)) {
        const condition = columns.map((column) => `(${conditions(column)})`).join(" OR ");
        changes += database.query(`DELETE FROM ${table} WHERE project_id = ?1 AND (${condition})`)
          .run(project_id, ...texts).changes;
      }
    }
    for (const { id, state } of states) store.rules.putState(id, state);
    return changes + eraseNotes(database, project_id, ids);
  });
  for (const { id, state } of states) store.rules.remember(id, state);
  return gone + states.length;
}

/** Notes that people have written on issues, where they name somebody. */
function eraseNotes(database: Database, project_id: string, ids: readonly string[]): number {
  return ids.filter(isTelling).reduce((changes, id) =>
    changes + database.query(
      "UPDATE issues SET note = NULL WHERE project_id = ? AND instr(note, ?) > 0",
    ).run(project_id, id).changes, 0);
}

/** Alerts, and notifications of them, that name somebody. */
export function alertsNaming(
  store: AlertStore,
  project_id: string,
  ids: readonly string[],
): { alerts: unknown[]; notifications: unknown[] } {
  const bodies = (table: keyof typeof textColumns) => {
    const [column] = textColumns[table];
    return store.alerts.database.query<{ body: string }, [string]>(
      `SELECT ${column} AS body FROM ${table} WHERE project_id = ?1`,
    ).all(project_id).filter(({ body }) => isNamedIn(body, ids))
      .map(({ body }) => JSON.parse(body) as unknown);
  };
  return { alerts: bodies("alerts"), notifications: bodies("alert_deliveries") };
}

/** Leaves nothing of what was deleted in free pages, nor in the write-ahead log. */
export function compactAlerts(store: AlertStore): void {
  compactDatabase(store.alerts.database);
}

const textColumns = {
  alerts: ["alert"],
  alert_deliveries: ["body", "last_error"],
} as const;

/** As a whole string; in JSON within JSON, as in the body of a webhook; and in a sentence. */
function formsOf(ids: readonly string[]): string[][] {
  const quoted = ids.map((id) => JSON.stringify(id));
  const bare = ids.filter(isTelling);
  return [
    quoted,
    quoted.map((text) => JSON.stringify(text).slice(1, -1)),
    ...bare.map((id) => ids.map(() => id)),
  ];
}

function isTelling(id: string): boolean {
  return Buffer.byteLength(id) >= bareBytesMin;
}

function isNamedIn(json: string, ids: readonly string[]): boolean {
  return formsOf(ids).some((forms) => forms.some((form) => json.includes(form)));
}

function without(state: RuleState, names: (value: unknown) => boolean): RuleState {
  const series = Object.entries(state.series)
    .filter(([key, one]) => !names(key) && !names(one.labels) && !names(one.alert));
  const ended = state.ended.filter((alert) => !names(alert));
  const last_error = names(state.last_error) ? null : state.last_error;
  return { ...state, series: Object.fromEntries(series), ended, last_error };
}
