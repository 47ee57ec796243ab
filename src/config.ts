// Every setting, once. Parsing, `--help`, `config show`, shell completion and the README's table are
// derived from `settings`; see config/load.ts for where a value comes from.

/** A setting is named in snake_case; variable, flag and config-file key follow from it. */
export interface Setting {
  kind: Kind;
  /** As a person would write it; null when unset is a value of its own. */
  default: string | null;
  /** What it does, unit included. One sentence. */
  help: string;
  /** Smallest and largest value: of the number, or of the text's length. */
  min?: number;
  max?: number;
  values?: readonly string[];
  /** Never shown; may also be read from a file that `<name>_file` names. */
  secret?: true;
  /** Variables of the original design that are honoured when our own is not set. */
  aliases?: readonly string[];
}

/**
 * | kind     | written as                        | in the program   |
 * | -------- | --------------------------------- | ---------------- |
 * | address  | `127.0.0.1:4318`, `[::1]:0`       | `{ host, port }` |
 * | path     | absolute, or relative to its source | absolute path  |
 * | text     | any text without control characters | string         |
 * | id       | a project's id                    | string           |
 * | choice   | one of `values`                   | string           |
 * | integer  | `90`                              | number           |
 * | number   | `0.25`                            | number           |
 * | boolean  | `true` `false` (or on/off, yes/no, 1/0) | boolean    |
 * | bytes    | `64MiB`, `100MB`, `65536`         | number           |
 * | memory   | `1GB`, `512MiB`                   | string, DuckDB's |
 * | origins  | `https://a.example,https://b.example` | string[]     |
 * | database | empty, or `sqlite://<path>`       | string           |
 */
export type Kind =
  | "address"
  | "path"
  | "text"
  | "id"
  | "choice"
  | "integer"
  | "number"
  | "boolean"
  | "bytes"
  | "memory"
  | "origins"
  | "database";

const GiB = 1024 ** 3;

export const settings = {
  listen: {
    kind: "address",
    default: "127.0.0.1:4318",
    help: "Address of the page, the API and ingestion. Port 0 takes a free one.",
  },
  grpc_listen: {
    kind: "address",
    default: null,
    help: "Address of OTLP/gRPC, such as 127.0.0.1:4317; unset is off.",
  },
  data_dir: {
    kind: "path",
    default: "./watchllm-data",
    help: "Folder that holds everything; one process uses it at a time.",
  },
  cache_dir: {
    kind: "path",
    default: null,
    help: "Folder for DuckDB's library, on a mount that allows execution (<data_dir>/cache).",
  },
  init_project: {
    kind: "id",
    default: null,
    help: "Project to create at start when it does not exist.",
  },
  init_key: {
    kind: "text",
    default: null,
    min: 16,
    max: 512,
    secret: true,
    help: "Admin key of that project, created at start; any text of 16 or more characters.",
  },
  log_level: {
    kind: "choice",
    default: "info",
    values: ["debug", "info", "warning", "error"],
    help: "Least severe message that is logged.",
  },
  log_format: {
    kind: "choice",
    default: "auto",
    values: ["auto", "json", "pretty"],
    help: "JSON lines, or text for people; auto is pretty on a terminal.",
  },
  retention_days: {
    kind: "integer",
    default: "90",
    min: 0,
    max: 36_500,
    aliases: ["OBSERVABILITY_RETENTION_DAYS"],
    help: "Days that events are kept; 0 keeps them for ever.",
  },
  sample_rate: {
    kind: "number",
    default: "1.0",
    min: 0,
    max: 1,
    aliases: ["OBSERVABILITY_SAMPLE_RATE"],
    help: "Share of runs that are kept, from 0 to 1.",
  },
  enabled: {
    kind: "boolean",
    default: "true",
    aliases: ["OBSERVABILITY_ENABLED"],
    help: "Take events in; when false ingestion is refused and reading goes on.",
  },
  database_url: {
    kind: "database",
    default: "",
    aliases: ["OBSERVABILITY_DATABASE_URL"],
    help: "Where projects and keys are kept: empty is <data_dir>/state.db, or sqlite://<path>.",
  },
  cors_origins: {
    kind: "origins",
    default: "",
    help: "Web origins that may call the API, separated by commas; * is any, with a key only.",
  },
  redaction: {
    kind: "choice",
    default: "off",
    values: ["off", "detect", "mask", "hash", "drop"],
    help: "What happens to personal data and secrets in projects that set nothing else.",
  },
  rate_limit_events_per_s: {
    kind: "integer",
    default: "0",
    min: 0,
    max: 10_000_000,
    help: "Events per second that a project may send; 0 is no limit.",
  },
  flush_interval_s: {
    kind: "integer",
    default: "60",
    min: 1,
    max: 3600,
    help: "Seconds until an event is written to Parquet.",
  },
  flush_bytes: {
    kind: "bytes",
    default: "64MiB",
    min: 64 * 1024,
    max: 4 * GiB,
    help: "Bytes of the log that are written to Parquet without waiting longer.",
  },
  queue_bytes_max: {
    kind: "bytes",
    default: "64MiB",
    min: 1024 * 1024,
    max: 16 * GiB,
    help: "Bytes of events that may wait for the disk; beyond it ingestion answers 503.",
  },
  disk_free_bytes_min: {
    kind: "bytes",
    default: "100MiB",
    min: 0,
    max: 1024 * GiB,
    help: "Free bytes on the disk below which ingestion answers 507.",
  },
  disk_bytes_max: {
    kind: "bytes",
    default: "0",
    min: 0,
    max: 1024 * 1024 * GiB,
    help: "Bytes that all data may take; beyond it the oldest days are deleted. 0 is no bound.",
  },
  memory_limit: {
    kind: "memory",
    default: "1GB",
    help: "Memory that DuckDB may use for queries and conversion.",
  },
  query_concurrency: {
    kind: "integer",
    default: "2",
    min: 1,
    max: 64,
    help: "Queries that run at the same time.",
  },
  query_timeout_s: {
    kind: "integer",
    default: "30",
    min: 1,
    max: 3600,
    help: "Seconds after which a query of the API is ended.",
  },
  sql_timeout_s: {
    kind: "integer",
    default: "10",
    min: 1,
    max: 3600,
    help: "Seconds after which a user's SQL is ended.",
  },
  sql_rows_max: {
    kind: "integer",
    default: "10000",
    min: 1,
    max: 10_000_000,
    help: "Rows that a user's SQL may return.",
  },
  sql_memory_limit: {
    kind: "memory",
    default: "512MB",
    help: "Memory that a user's SQL may use.",
  },
  shutdown_timeout_s: {
    kind: "integer",
    default: "25",
    min: 1,
    max: 600,
    help: "Seconds to finish requests and write what waits after SIGTERM.",
  },
  alert_interval_s: {
    kind: "integer",
    default: "30",
    min: 1,
    max: 3600,
    help: "Seconds between two looks at the alert rules.",
  },
  allow_private_webhooks: {
    kind: "boolean",
    default: "false",
    help: "Let notifications and monitors reach this machine and private networks.",
  },
  blobs: {
    kind: "boolean",
    default: "true",
    help: "Move images and other files that events hold as base64 out of them.",
  },
  feature_real_time_dashboard: {
    kind: "boolean",
    default: "true",
    help: "Events as they arrive, by /api/live and on the page.",
  },
  feature_advanced_analytics: {
    kind: "boolean",
    default: "true",
    help: "SQL of users, by /api/sql and on the page.",
  },
  feature_hallucination_detection: {
    kind: "boolean",
    default: "false",
    help: "Reserved for detection of made-up content; does nothing yet.",
  },
  feature_enterprise_features: {
    kind: "boolean",
    default: "false",
    help: "Reserved for larger organisations; does nothing yet.",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

export interface Address {
  /** A name or a number; IPv6 without brackets. */
  host: string;
  /** 0 asks the system for a free one. */
  port: number;
}

interface Values {
  address: Address;
  path: string;
  text: string;
  id: string;
  choice: string;
  integer: number;
  number: number;
  boolean: boolean;
  bytes: number;
  memory: string;
  origins: string[];
  database: string;
}

// deno-fmt-ignore
type ValueOf<S extends Setting> =
  | (S extends { values: readonly (infer V)[] } ? V : Values[S["kind"]])
  | (S["default"] extends null ? null : never);

/** All settings, complete and valid. `cache_dir` is never null here. */
export type Config =
  & Readonly<{ [N in Exclude<SettingName, "cache_dir">]: ValueOf<(typeof settings)[N]> }>
  & { readonly cache_dir: string };

export const settingNames = Object.keys(settings) as SettingName[];

/** The row of a setting, without its literal types. */
export function settingOf(name: SettingName): Setting {
  return settings[name];
}

export const envPrefix = "WATCHLLM_";

export function envOf(name: string): string {
  return envPrefix + name.toUpperCase();
}

/** Without the two dashes. */
export function flagOf(name: string): string {
  return name.replaceAll("_", "-");
}

/** Names a file with settings; may be given as `--config` too. */
export const configFileEnv = "WATCHLLM_CONFIG";

export function addressText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
