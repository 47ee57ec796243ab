// Every command of the program, once: dispatch, help and completion are derived from it.
import { settingNames } from "../config.ts";
import type { Command } from "./command.ts";

const state = ["data_dir", "database_url"] as const;

const rewriteSettings = [
  ...state,
  "cache_dir",
  "init_key",
  "memory_limit",
  "query_timeout_s",
] as const;

export const commands: readonly Command[] = [
  {
    name: "serve",
    summary: "Start the server (also without any command).",
    about:
      "Takes events in, answers questions and shows the page, on one address. Ends on SIGTERM " +
      "or Ctrl-C after it has finished what was begun.",
    settings: settingNames,
    load: async () => (await import("./serve.ts")).run,
  },
  {
    name: "sql",
    summary: "Ask the data directory in SQL; the views are events and metrics.",
    about:
      'Works whether the server runs or not.\n\n  watchllm sql "SELECT model, count(*) FROM events GROUP BY 1"',
    arguments: [{ name: "query", required: true }],
    options: {
      format: {
        kind: "text",
        values: ["table", "json", "csv", "parquet"],
        default: "table",
        help: "How rows are written to standard output.",
      },
      project: { kind: "text", placeholder: "id", help: "Only events of this project." },
      output: { kind: "text", placeholder: "file", help: "Write the answer to this file." },
    },
    settings: [
      "data_dir",
      "cache_dir",
      "database_url",
      "sql_timeout_s",
      "sql_rows_max",
      "sql_memory_limit",
    ],
    load: async () => (await import("./sql.ts")).run,
  },
  {
    name: "project create",
    summary: "Create a project.",
    arguments: [{ name: "project_id", required: true }],
    options: {
      name: { kind: "text", placeholder: "text", help: "Name for people." },
    },
    settings: state,
    load: async () => (await import("./project.ts")).createProject,
  },
  {
    name: "project list",
    summary: "List projects.",
    options: { format: formatOption() },
    settings: state,
    load: async () => (await import("./project.ts")).listProjects,
  },
  {
    name: "key create",
    summary: "Create an API key; it is shown once, on standard output.",
    about: "  watchllm key create --project shop --scope ingest",
    options: {
      project: {
        kind: "text",
        placeholder: "id",
        help: "Project that the key opens; may be left out when there is one.",
      },
      scope: {
        kind: "text",
        placeholder: "ingest|read|admin[,…]",
        default: "ingest",
        help: "What the key may do; admin may do everything.",
      },
      name: { kind: "text", placeholder: "text", help: "What the key is for." },
    },
    settings: state,
    load: async () => (await import("./key.ts")).createKey,
  },
  {
    name: "key list",
    summary: "List API keys; the keys themselves are not kept.",
    options: {
      project: { kind: "text", placeholder: "id", help: "Only keys of this project." },
      format: formatOption(),
    },
    settings: state,
    load: async () => (await import("./key.ts")).listKeys,
  },
  {
    name: "key revoke",
    summary: "Make an API key useless, for ever; a running server notices within two seconds.",
    arguments: [{ name: "key_id", required: true }],
    settings: state,
    load: async () => (await import("./key.ts")).revokeKey,
  },
  {
    name: "demo",
    summary: "Fill a demo project with two days of made-up, realistic runs.",
    about: "Sends them to a running server through its public API. Sent twice, stored once.",
    options: {
      url: { kind: "text", placeholder: "url", help: "Server; the one at --listen when left out." },
      key: { kind: "text", placeholder: "key", help: "Admin key, for a server that asks for one." },
      project: { kind: "text", placeholder: "id", default: "demo", help: "Project to fill." },
      seed: { kind: "text", placeholder: "n", default: "1", help: "Another seed, other runs." },
    },
    settings: ["listen", "init_key"],
    load: async () => (await import("./demo.ts")).run,
  },
  {
    name: "price",
    summary: "What a model call costs, to check a bill.",
    about: "  watchllm price claude-opus-4-7 --input 12000 --cache-read 9000 --output 800\n" +
      "  watchllm price gpt-4o --tier batch --at 2026-01-31 --input 1_000_000",
    arguments: [{ name: "model", required: true }],
    options: {
      provider: { kind: "text", placeholder: "name", help: "Who serves the model." },
      tier: { kind: "text", placeholder: "name", help: "Service tier, such as batch or flex." },
      at: { kind: "text", placeholder: "time", help: "When it was called; now when left out." },
      input: { kind: "text", placeholder: "n", help: "All input tokens, cached included." },
      output: { kind: "text", placeholder: "n", help: "All output tokens, reasoning included." },
      "cache-read": { kind: "text", placeholder: "n", help: "Input tokens read from a cache." },
      "cache-write": { kind: "text", placeholder: "n", help: "Input tokens written to a cache." },
      "cache-write-1h": { kind: "text", placeholder: "n", help: "Of these, kept for an hour." },
      reasoning: { kind: "text", placeholder: "n", help: "Output tokens spent on reasoning." },
      "audio-input": { kind: "text", placeholder: "n", help: "Input tokens of audio." },
      "audio-output": { kind: "text", placeholder: "n", help: "Output tokens of audio." },
      project: {
        kind: "text",
        placeholder: "id",
        help: "Also by the prices that this project has set.",
      },
      format: formatOption(),
    },
    settings: state,
    load: async () => (await import("./price.ts")).run,
  },
  {
    name: "remap",
    summary: "Map stored OpenTelemetry events again, after the mapping was mended.",
    about:
      "By the running server, or by itself when none runs. Safe to stop and to run again.\n\n" +
      "  watchllm remap --since -7d --dry-run",
    options: rewriteOptions(),
    settings: rewriteSettings,
    load: async () => (await import("./rewrite.ts")).remap,
  },
  {
    name: "reprice",
    summary: "Estimate the cost of stored model calls again; the first estimate is kept beside.",
    about:
      "By the running server, or by itself when none runs. Safe to stop and to run again.\n\n" +
      "  watchllm reprice --since 2026-01-01T00:00:00Z --project shop",
    options: rewriteOptions(),
    settings: rewriteSettings,
    load: async () => (await import("./rewrite.ts")).reprice,
  },
  {
    name: "erase",
    summary: "Erase everything of a user, a session, a run or an event.",
    about:
      "By the running server, or by itself when none runs. Killed, it goes on at the next start.\n" +
      "What is received after the order is not touched; run it again to erase that too.\n\n" +
      "  watchllm erase --user u-17 --dry-run",
    options: {
      ...subjectOptions(),
      "dry-run": { kind: "boolean", help: "Only count what would go." },
      url: {
        kind: "text",
        placeholder: "url",
        help: "Server; the one of the data directory else.",
      },
      key: { kind: "text", placeholder: "key", help: "Admin key, for a server that asks for one." },
      format: formatOption(),
    },
    settings: [...rewriteSettings, "redaction"],
    load: async () => (await import("./erase.ts")).run,
  },
  {
    name: "erase list",
    summary: "Show the record of erasures.",
    options: {
      project: { kind: "text", placeholder: "id", help: "Only this project." },
      format: formatOption(),
    },
    settings: ["data_dir"],
    load: async () => (await import("./erase.ts")).list,
  },
  {
    name: "erase verify",
    summary: "Prove that nothing is left of what was erased; exit code 0 or 1.",
    about: "Reads every file of the data directory, whether a server runs on it or not.",
    arguments: [{ name: "id", required: true }],
    options: { format: formatOption() },
    settings: ["data_dir", "cache_dir", "memory_limit"],
    load: async () => (await import("./erase.ts")).verify,
  },
  {
    name: "export",
    summary: "Write everything about a user, a session, a run or an event, as NDJSON.",
    about:
      "By the running server, or by itself when none runs. The last line of each project is `end`\n" +
      "with counts.\n\n  watchllm export --user u-17 --out u-17.ndjson --files u-17-files",
    options: {
      ...subjectOptions(),
      out: { kind: "text", placeholder: "file", help: "Instead of standard output." },
      files: {
        kind: "text",
        placeholder: "folder",
        help: "Also the images and other files of these events, into this folder.",
      },
      url: {
        kind: "text",
        placeholder: "url",
        help: "Server; the one of the data directory else.",
      },
      key: { kind: "text", placeholder: "key", help: "Key, for a server that asks for one." },
    },
    settings: [...rewriteSettings, "redaction"],
    load: async () => (await import("./export.ts")).run,
  },
  {
    name: "backup",
    summary: "Make a whole copy of the data directory, while a server runs on it or not.",
    about:
      "All that was acknowledged before it began is inside. Parquet files and blobs are linked\n" +
      "on the same disk, and take no room until they are deleted here.\n\n" +
      "  watchllm backup /backups/monday",
    arguments: [{ name: "folder", required: true }],
    options: { format: formatOption() },
    settings: state,
    load: async () => (await import("./backup.ts")).make,
  },
  {
    name: "backup verify",
    summary: "Look at every byte of a backup; exit code 0 when it is whole.",
    arguments: [{ name: "folder", required: true }],
    options: { format: formatOption() },
    settings: null,
    load: async () => (await import("./backup.ts")).verify,
  },
  {
    name: "restore",
    summary: "Make a data directory of a backup, after looking at every byte of it.",
    about: "  watchllm restore /backups/monday --data-dir ./restored",
    arguments: [{ name: "folder", required: true }],
    settings: ["data_dir"],
    load: async () => (await import("./backup.ts")).restore,
  },
  {
    name: "rules apply",
    summary: "Make a project's alert rules those of a file; the difference is shown first.",
    about:
      "The file is YAML or JSON: `rules`, a list of rules as POST /api/rules takes them, with\n" +
      "channels by name or id. Rules are told apart by their names.\n\n" +
      "  watchllm rules apply rules.yaml --yes",
    arguments: [{ name: "file", required: true }],
    options: {
      ...serverOptions(),
      yes: { kind: "boolean", help: "Apply without asking." },
      delete: { kind: "boolean", help: "Delete rules that are not in the file." },
    },
    settings: ["listen", "init_key"],
    load: async () => (await import("./rules.ts")).apply,
  },
  {
    name: "rules export",
    summary: "Print a project's alert rules as such a file.",
    options: serverOptions(),
    settings: ["listen", "init_key"],
    load: async () => (await import("./rules.ts")).exportRules,
  },
  {
    name: "doctor",
    summary: "Check that this machine and the data directory are fit to serve.",
    options: { format: formatOption() },
    settings: ["listen", "data_dir", "cache_dir", "database_url", "disk_free_bytes_min"],
    load: async () => (await import("./doctor.ts")).run,
  },
  {
    name: "healthcheck",
    summary: "Ask the server at --listen whether it is ready; exit code 0 or 1.",
    settings: ["listen"],
    load: async () => (await import("./healthcheck.ts")).run,
  },
  {
    name: "config show",
    summary: "Print every setting and where its value comes from.",
    options: { format: formatOption() },
    settings: settingNames,
    load: async () => (await import("./config.ts")).show,
  },
  {
    name: "version",
    summary: "Print the version.",
    options: { json: { kind: "boolean", help: "As JSON, with commit and platform." } },
    settings: null,
    load: async () => (await import("./version.ts")).run,
  },
  {
    name: "completion",
    summary: "Print a completion script for a shell.",
    about:
      '  source <(watchllm completion bash)\n  watchllm completion zsh > "${fpath[1]}/_watchllm"\n' +
      "  watchllm completion fish > ~/.config/fish/completions/watchllm.fish",
    arguments: [{ name: "bash|zsh|fish", required: true }],
    settings: null,
    load: async () => (await import("./completion.ts")).run,
  },
  {
    name: "help",
    summary: "Explain a command.",
    arguments: [{ name: "command", required: false }, { name: "verb", required: false }],
    settings: null,
    load: async () => (await import("./help.ts")).run,
  },
  {
    name: "sql-child",
    summary: "Answer one question in SQL for the server that started this process.",
    hidden: true,
    settings: null,
    load: async () => (await import("./sql_child.ts")).run,
  },
];

function subjectOptions() {
  return {
    user: {
      kind: "text",
      placeholder: "id",
      help: "This user: also rows without a user, of runs that are theirs.",
    },
    session: { kind: "text", placeholder: "id", help: "This session." },
    run: { kind: "text", placeholder: "id", help: "This run." },
    event: { kind: "text", placeholder: "id", help: "This event." },
    project: { kind: "text", placeholder: "id", help: "Only in this project." },
  } as const;
}

function rewriteOptions() {
  return {
    since: {
      kind: "text",
      placeholder: "time",
      help: "From this time on: ISO 8601, or as long ago as -24h or -7d.",
    },
    until: { kind: "text", placeholder: "time", help: "Before this time." },
    project: { kind: "text", placeholder: "id", help: "Only this project." },
    "dry-run": { kind: "boolean", help: "Only count what would change." },
    url: { kind: "text", placeholder: "url", help: "Server; the one of the data directory else." },
    key: { kind: "text", placeholder: "key", help: "Admin key, for a server that asks for one." },
    format: formatOption(),
  } as const;
}

function serverOptions() {
  return {
    url: { kind: "text", placeholder: "url", help: "Server; the one at --listen when left out." },
    key: { kind: "text", placeholder: "key", help: "Admin key, for a server that asks for one." },
    project: {
      kind: "text",
      placeholder: "id",
      help: "Project; may be left out when the key knows one.",
    },
  } as const;
}

function formatOption() {
  return {
    kind: "text",
    values: ["table", "json"],
    default: "table",
    help: "For people, or for programs.",
  } as const;
}
