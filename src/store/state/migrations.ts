// How the state's tables came to be, step by step. A step that was released is never changed. SQL
// that SQLite and PostgreSQL both run: times are ISO 8601 text, lists are text with commas.

/** Statements of each step, oldest first; its version is its place, from 1. */
export const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE projects (
      project_id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      created_at TEXT NOT NULL
    )`,
    `CREATE TABLE api_keys (
      key_id TEXT NOT NULL PRIMARY KEY,
      key_hash TEXT NOT NULL UNIQUE,
      prefix TEXT NOT NULL,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at TEXT NOT NULL,
      revoked_at TEXT
    )`,
    `CREATE TABLE sessions (
      token_hash TEXT NOT NULL PRIMARY KEY,
      key_id TEXT NOT NULL REFERENCES api_keys (key_id) ON DELETE CASCADE,
      created_at TEXT NOT NULL,
      expires_at TEXT NOT NULL
    )`,
  ],
  [
    `CREATE TABLE project_settings (
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      PRIMARY KEY (project_id, name)
    )`,
    `CREATE TABLE server_secrets (
      name TEXT NOT NULL PRIMARY KEY,
      secret TEXT NOT NULL,
      created_at TEXT NOT NULL
    )`,
  ],
  [
    `CREATE TABLE alert_channels (
      id TEXT NOT NULL PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      config TEXT NOT NULL,
      sealed TEXT,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    )`,
    `CREATE TABLE alert_rules (
      id TEXT NOT NULL PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      rule TEXT NOT NULL,
      version BIGINT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    )`,
    `CREATE TABLE alert_rule_states (
      rule_id TEXT NOT NULL PRIMARY KEY REFERENCES alert_rules (id) ON DELETE CASCADE,
      state TEXT NOT NULL
    )`,
    `CREATE TABLE alerts (
      id TEXT NOT NULL PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      rule_id TEXT NOT NULL,
      rule_name TEXT NOT NULL,
      status TEXT NOT NULL,
      level TEXT NOT NULL,
      fired_at TEXT NOT NULL,
      alert TEXT NOT NULL
    )`,
    `CREATE INDEX alerts_by_time ON alerts (project_id, fired_at, id)`,
    `CREATE TABLE alert_deliveries (
      id TEXT NOT NULL PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      channel_id TEXT,
      channel_name TEXT NOT NULL,
      channel_type TEXT NOT NULL,
      rule_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      thread TEXT NOT NULL,
      body TEXT NOT NULL,
      status TEXT NOT NULL,
      attempts BIGINT NOT NULL,
      next_attempt_at TEXT,
      last_error TEXT,
      last_status BIGINT,
      created_at TEXT NOT NULL,
      finished_at TEXT
    )`,
    `CREATE INDEX alert_deliveries_by_time ON alert_deliveries (project_id, created_at, id)`,
    `CREATE INDEX alert_deliveries_waiting ON alert_deliveries (status, next_attempt_at)`,
  ],
  [
    `CREATE TABLE monitors (
      id TEXT NOT NULL PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      monitor TEXT NOT NULL,
      sealed TEXT,
      version BIGINT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    )`,
    `CREATE TABLE monitor_states (
      monitor_id TEXT NOT NULL PRIMARY KEY REFERENCES monitors (id) ON DELETE CASCADE,
      state TEXT NOT NULL
    )`,
    `CREATE TABLE monitor_checks (
      id TEXT NOT NULL PRIMARY KEY,
      monitor_id TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
      checked_at TEXT NOT NULL,
      result TEXT NOT NULL
    )`,
    `CREATE INDEX monitor_checks_by_time ON monitor_checks (monitor_id, checked_at, id)`,
    `CREATE TABLE monitor_hours (
      monitor_id TEXT NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
      hour TEXT NOT NULL,
      ok BIGINT NOT NULL,
      failing BIGINT NOT NULL,
      erroring BIGINT NOT NULL,
      answered BIGINT NOT NULL,
      latency_ms DOUBLE PRECISION NOT NULL,
      priced BIGINT NOT NULL,
      cost_usd DOUBLE PRECISION NOT NULL,
      PRIMARY KEY (monitor_id, hour)
    )`,
  ],
  [
    `CREATE INDEX alert_deliveries_of_channel ON alert_deliveries (status, channel_id)`,
    `CREATE INDEX alert_deliveries_of_thread ON alert_deliveries (status, channel_id, thread)`,
  ],
  [
    `CREATE TABLE issues (
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      issue TEXT NOT NULL,
      state TEXT NOT NULL,
      first_seen TEXT NOT NULL,
      first_release TEXT,
      last_seen TEXT NOT NULL,
      resolved_at TEXT,
      resolved_in TEXT,
      regressed_at TEXT,
      regressed_in TEXT,
      assignee TEXT,
      note TEXT,
      merged_into TEXT,
      updated_at TEXT,
      PRIMARY KEY (project_id, issue)
    )`,
    `CREATE TABLE issue_releases (
      project_id TEXT NOT NULL REFERENCES projects (project_id) ON DELETE CASCADE,
      release TEXT NOT NULL,
      first_seen TEXT NOT NULL,
      PRIMARY KEY (project_id, release)
    )`,
    `CREATE TABLE issue_marks (
      project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (project_id) ON DELETE CASCADE,
      noted_until TEXT NOT NULL
    )`,
  ],
];
