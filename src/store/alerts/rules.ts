// Rules and what is remembered of each, in SQLite and in memory.
import type { Database } from "bun:sqlite";
import type { Rule } from "../../alert/rule.ts";
import { newState, type RuleState } from "../../alert/state.ts";

export interface StoredRule {
  id: string;
  project_id: string;
  rule: Rule;
  /** Rises with every change: a look that began before one is not taken for a look after it. */
  version: number;
  created_at: string;
  updated_at: string;
}

type Row = Omit<StoredRule, "rule"> & { rule: string };

export class Rules {
  #rules = new Map<string, StoredRule>();
  #states = new Map<string, RuleState>();

  constructor(readonly database: Database) {}

  /** Reads all anew; states that are in memory are the newest. */
  load(): void {
    const rows = this.database.query<Row, []>(
      `SELECT id, project_id, rule, version, created_at, updated_at FROM alert_rules
       ORDER BY created_at, id`,
    ).all();
    this.#rules = new Map(rows.map((row) => [row.id, { ...row, rule: JSON.parse(row.rule) }]));
    const states = this.database.query<{ rule_id: string; state: string }, []>(
      "SELECT rule_id, state FROM alert_rule_states",
    ).all();
    const before = this.#states;
    this.#states = new Map(states.map(({ rule_id, state }) => [
      rule_id,
      before.get(rule_id) ?? { ...newState(), ...JSON.parse(state) },
    ]));
    for (const id of this.#rules.keys()) {
      if (!this.#states.has(id)) this.#states.set(id, before.get(id) ?? newState());
    }
  }

  /** In order of creation. */
  all(): StoredRule[] {
    return [...this.#rules.values()];
  }

  get(id: string): StoredRule | null {
    return this.#rules.get(id) ?? null;
  }

  /** Not to be changed: `putState` stores another, and `remember` makes it the one that counts. */
  state(id: string): RuleState {
    return this.#states.get(id) ?? newState();
  }

  /** After the transaction: what a failed one was to store must not be taken for true. */
  remember(id: string, state: RuleState): void {
    if (this.#rules.has(id)) this.#states.set(id, state);
  }

  put(stored: StoredRule): void {
    this.database.query(
      `INSERT INTO alert_rules (id, project_id, rule, version, created_at, updated_at)
       VALUES ($id, $project_id, $rule, $version, $created_at, $updated_at)
       ON CONFLICT (id) DO UPDATE SET
         rule = excluded.rule, version = excluded.version, updated_at = excluded.updated_at`,
    ).run({ ...stored, rule: JSON.stringify(stored.rule) });
    this.#rules.set(stored.id, stored);
  }

  delete(id: string): void {
    this.database.query("DELETE FROM alert_rules WHERE id = ?").run(id);
    this.#rules.delete(id);
    this.#states.delete(id);
  }

  putState(id: string, state: RuleState): void {
    // A rule may have been deleted by another process since it was read.
    this.database.query(
      `INSERT INTO alert_rule_states (rule_id, state)
       SELECT $id, $state WHERE EXISTS (SELECT 1 FROM alert_rules WHERE id = $id)
       ON CONFLICT (rule_id) DO UPDATE SET state = excluded.state`,
    ).run({ id, state: JSON.stringify(state) });
  }
}
