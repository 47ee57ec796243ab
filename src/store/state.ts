// Projects with their settings, keys and sessions, in SQLite. Everything is also held in memory, so that no request
// waits for SQL; what another process writes (the command line) is taken over within a second.
import type { SQL } from "bun";
import { join } from "node:path";
import { isProjectId, projectIdRule } from "../config/value.ts";
import type { Config } from "../config.ts";
import { loggerOf } from "../logging.ts";
import type { Scope } from "../serve/principal.ts";
import { type Clock, systemClock } from "../std/clock.ts";
import { openDatabase } from "./state/database.ts";
import { hashOf, prefixOf, randomKey, randomSecret } from "./state/secret.ts";

export interface Project {
  project_id: string;
  name: string;
  /** ISO 8601. */
  created_at: string;
}

export interface Key {
  key_id: string;
  project_id: string;
  /** What it is for; may be empty. */
  name: string;
  /** First characters of the key, to recognise it. */
  prefix: string;
  scopes: readonly Scope[];
  created_at: string;
  revoked_at: string | null;
}

/** A key at the only moment at which it is known. */
export interface NewKey extends Key {
  secret: string;
}

export type Refusal = {
  refused: "invalid_project_id" | "project_exists" | "unknown_project" | "key_taken" | "too_many";
  message: string;
};

export interface StateOptions {
  clock?: Clock;
  /** How soon what another process wrote counts. */
  pollMs?: number;
}

const projectsMax = 10_000;
const keysPerProjectMax = 1000;
const sessionsMax = 10_000;
const nameCharactersMax = 200;
export const sessionMs = 30 * 24 * 60 * 60 * 1000;
const defaultPollMs = 1000;

/** Where the state of these settings is. */
export function statePath({ data_dir, database_url }: Pick<Config, "data_dir" | "database_url">) {
  return database_url === "" ? join(data_dir, "state.db") : database_url.replace("sqlite://", "");
}

/** Opens the state and brings its tables up to date. Throws StateError. */
export async function openState(path: string, options: StateOptions = {}): Promise<State> {
  const state = new State(await openDatabase(path), options);
  await state.load();
  return state;
}

interface Setting {
  /** JSON, as it is stored. */
  text: string;
  value: unknown;
}

interface Session {
  key_id: string;
  expiresAt: number;
}

export class State {
  #sql: SQL;
  #clock: Clock;
  #projects = new Map<string, Project>();
  #projectList: readonly Project[] = [];
  #keys = new Map<string, Key>();
  #keyList: readonly Key[] = [];
  #keyIdByHash = new Map<string, string>();
  #sessions = new Map<string, Session>();
  #settings = new Map<string, Setting>();
  #secrets = new Map<string, string>();
  #seenVersion: unknown = null;
  #timer: ReturnType<typeof setInterval>;
  /** One at a time: SQLite has one connection, and a transaction on it takes in whatever comes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(sql: SQL, { clock = systemClock, pollMs = defaultPollMs }: StateOptions) {
    this.#sql = sql;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#refresh(), pollMs);
    this.#timer.unref();
  }

  /** In order of creation; another array whenever anything has changed. */
  get projects(): readonly Project[] {
    return this.#projectList;
  }

  /** Revoked ones included, in order of creation. */
  get keys(): readonly Key[] {
    return this.#keyList;
  }

  project(project_id: string): Project | null {
    return this.#projects.get(project_id) ?? null;
  }

  /** The key that is this text; null when there is none, or it is revoked. */
  keyOf(secret: string): Key | null {
    const key = this.#keys.get(this.#keyIdByHash.get(hashOf(secret)) ?? "");
    return key === undefined || key.revoked_at !== null ? null : key;
  }

  /** The key that a session stands for; null when either is no longer valid. */
  keyOfSession(token: string): Key | null {
    const session = this.#sessions.get(hashOf(token));
    if (session === undefined || session.expiresAt <= this.#clock.nowMs()) return null;
    const key = this.#keys.get(session.key_id);
    return key === undefined || key.revoked_at !== null ? null : key;
  }

  /** What a project has set under a name, as JSON; the same object until it is set anew. */
  setting(project_id: string, name: string): unknown {
    return this.#settings.get(settingKey(project_id, name))?.value ?? null;
  }

  /** Null takes the setting away. `value` is JSON. The project exists. */
  setSetting(project_id: string, name: string, value: unknown): Promise<void> {
    return this.#write(async () => {
      if (value === null) {
        await this.#sql`DELETE FROM project_settings
          WHERE project_id = ${project_id} AND name = ${name}`;
        return;
      }
      await this.#sql`
        INSERT INTO project_settings (project_id, name, value, updated_at)
        VALUES (${project_id}, ${name}, ${JSON.stringify(value)}, ${this.#time()})
        ON CONFLICT (project_id, name)
        DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`;
    });
  }

  /** A random secret of this server, made when it is first asked for. */
  async secret(name: string): Promise<string> {
    if (!this.#secrets.has(name)) {
      await this.#write(async () => {
        await this.#sql`INSERT INTO server_secrets (name, secret, created_at)
          VALUES (${name}, ${randomSecret()}, ${this.#time()}) ON CONFLICT (name) DO NOTHING`;
      });
    }
    return this.#secrets.get(name)!;
  }

  createProject(project_id: string, name = project_id): Promise<Project | Refusal> {
    return this.#write(async () => {
      if (!isProjectId(project_id)) {
        return refuse("invalid_project_id", `A project_id ${projectIdRule}.`);
      }
      const twin = this.projects.find((project) => sameFolder(project.project_id, project_id));
      if (twin !== undefined) {
        return refuse("project_exists", `There is a project "${twin.project_id}" already.`);
      }
      if (this.#projects.size >= projectsMax) {
        return refuse("too_many", `There are ${projectsMax} projects already.`);
      }
      const project: Project = {
        project_id,
        name: name.slice(0, nameCharactersMax),
        created_at: this.#time(),
      };
      const made = await this.#sql`
        INSERT INTO projects (project_id, name, created_at)
        VALUES (${project_id}, ${project.name}, ${project.created_at})
        ON CONFLICT (project_id) DO NOTHING RETURNING project_id`;
      return made.length > 0
        ? project
        : refuse("project_exists", `There is a project "${project_id}" already.`);
    });
  }

  /** `secret` is made at random unless given. */
  createKey(
    { project_id, scopes, name = "", secret = randomKey(scopes) }: {
      project_id: string;
      scopes: readonly Scope[];
      name?: string;
      secret?: string;
    },
  ): Promise<NewKey | Refusal> {
    return this.#write(async () => {
      if (!this.#projects.has(project_id)) {
        return refuse("unknown_project", `There is no project "${project_id}".`);
      }
      const count = this.keys.filter((key) => key.project_id === project_id).length;
      if (count >= keysPerProjectMax) {
        return refuse("too_many", `Project "${project_id}" has ${count} keys already.`);
      }
      const key: NewKey = {
        key_id: `key_${randomSecret().slice(-12)}`,
        project_id,
        name: name.slice(0, nameCharactersMax),
        prefix: prefixOf(secret),
        scopes: [...new Set(scopes)],
        created_at: this.#time(),
        revoked_at: null,
        secret,
      };
      const made = await this.#sql`
        INSERT INTO api_keys (key_id, key_hash, prefix, project_id, name, scopes, created_at)
        VALUES (${key.key_id}, ${hashOf(secret)}, ${key.prefix}, ${project_id}, ${key.name},
          ${key.scopes.join(",")}, ${key.created_at})
        ON CONFLICT (key_hash) DO NOTHING RETURNING key_id`;
      return made.length > 0 ? key : refuse("key_taken", "There is such a key already.");
    });
  }

  /** The key that is this text, revoked or not. */
  anyKeyOf(secret: string): Key | null {
    return this.#keys.get(this.#keyIdByHash.get(hashOf(secret)) ?? "") ?? null;
  }

  /** Its sessions end with it. Revoking twice keeps the first time; null when there is no such key. */
  revokeKey(key_id: string): Promise<Key | null> {
    return this.#write(async () => {
      await this.#sql`UPDATE api_keys SET revoked_at = ${this.#time()}
        WHERE key_id = ${key_id} AND revoked_at IS NULL`;
      await this.#sql`DELETE FROM sessions WHERE key_id = ${key_id}`;
    }).then(() => this.#keys.get(key_id) ?? null);
  }

  createSession(key_id: string): Promise<{ token: string; expires_at: string } | Refusal> {
    return this.#write(async () => {
      await this.#sql`DELETE FROM sessions WHERE expires_at <= ${this.#time()}`;
      if (this.#sessions.size >= sessionsMax) {
        return refuse("too_many", `There are ${sessionsMax} sessions already.`);
      }
      const token = randomSecret();
      const expires_at = this.#time(sessionMs);
      await this.#sql`INSERT INTO sessions (token_hash, key_id, created_at, expires_at)
        VALUES (${hashOf(token)}, ${key_id}, ${this.#time()}, ${expires_at})`;
      return { token, expires_at };
    });
  }

  endSession(token: string): Promise<void> {
    return this.#write(async () => {
      await this.#sql`DELETE FROM sessions WHERE token_hash = ${hashOf(token)}`;
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    await this.#sql.close();
  }

  /** Reads everything anew. */
  async load(): Promise<void> {
    // Before the rows: what is written in between is then seen next time.
    const version = await this.#version();
    const projects: Project[] = await this.#sql`
      SELECT project_id, name, created_at FROM projects ORDER BY created_at, project_id`;
    const keys: (Omit<Key, "scopes"> & { key_hash: string; scopes: string })[] = await this.#sql`
      SELECT key_id, key_hash, prefix, project_id, name, scopes, created_at, revoked_at
      FROM api_keys ORDER BY created_at, key_id`;
    const sessions: { token_hash: string; key_id: string; expires_at: string }[] = await this.#sql`
      SELECT token_hash, key_id, expires_at FROM sessions`;
    const settings: { project_id: string; name: string; value: string }[] = await this.#sql`
      SELECT project_id, name, value FROM project_settings`;
    const secrets: { name: string; secret: string }[] = await this.#sql`
      SELECT name, secret FROM server_secrets`;
    this.#settings = new Map(settings.map(({ project_id, name, value }) => {
      const key = settingKey(project_id, name);
      const before = this.#settings.get(key);
      return [key, before?.text === value ? before : { text: value, value: JSON.parse(value) }];
    }));
    this.#secrets = new Map(secrets.map(({ name, secret }) => [name, secret]));
    this.#projects = new Map(projects.map((row) => [row.project_id, { ...row }]));
    this.#projectList = [...this.#projects.values()];
    this.#keyIdByHash = new Map(keys.map((row) => [row.key_hash, row.key_id]));
    this.#keys = new Map(keys.map(({ key_hash: _, scopes, ...row }) => [
      row.key_id,
      { ...row, scopes: scopes.split(",") as Scope[] },
    ]));
    this.#keyList = [...this.#keys.values()];
    this.#sessions = new Map(sessions.map(({ token_hash, key_id, expires_at }) => [
      token_hash,
      { key_id, expiresAt: Date.parse(expires_at) },
    ]));
    this.#seenVersion = version;
  }

  /** Changes when another connection has committed; the only question that is SQLite's own. */
  async #version(): Promise<unknown> {
    const [row] = await this.#sql`PRAGMA data_version`;
    return row?.data_version;
  }

  #refresh(): void {
    this.#inTurn(async () => {
      if (await this.#version() !== this.#seenVersion) await this.load();
    }).catch((error) => {
      loggerOf("state").error("Cannot read the state: {error}", { error });
    });
  }

  /** What was written counts when the promise resolves. */
  #write<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const result = await work();
      await this.load();
      return result;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #time(aheadMs = 0): string {
    return new Date(this.#clock.nowMs() + aheadMs).toISOString();
  }
}

/** Projects are folders, and some file systems take Shop and shop for one. */
function sameFolder(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function settingKey(project_id: string, name: string): string {
  return `${project_id}/${name}`;
}

function refuse(refused: Refusal["refused"], message: string): Refusal {
  return { refused, message };
}
