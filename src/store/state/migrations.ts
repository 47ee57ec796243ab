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
];
