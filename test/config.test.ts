// Where settings come from, which win, and what is refused.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addressText,
  type Config,
  envOf,
  flagOf,
  type SettingName,
  settingNames,
  settingOf,
} from "../src/config.ts";
import { loadConfig, type Origin } from "../src/config/load.ts";
import { helpLines, settingsMarkdown, shownSettings } from "../src/config/render.ts";
import { parseValue, valueText } from "../src/config/value.ts";

const folder = mkdtempSync(join(tmpdir(), "watchllm-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "etc"));

/** Written to `etc/`, so that its relative paths are seen to start there. */
function fileWith(content: unknown): string {
  const path = join(folder, "etc", `${crypto.randomUUID()}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

interface Given {
  flags?: Record<string, string>;
  env?: Record<string, string>;
  file?: unknown;
}

function load({ flags = {}, env = {}, file }: Given) {
  const all = new Map(Object.entries(flags));
  if (file !== undefined && !all.has("config")) all.set("config", fileWith(file));
  return loadConfig({ flags: all, env, cwd: folder });
}

function configOf(given: Given): { config: Config; origins: Record<SettingName, Origin> } {
  const loaded = load(given);
  if ("problems" in loaded) throw new Error(loaded.problems.map((p) => p.message).join("\n"));
  return loaded;
}

function problemsOf(given: Given): string[] {
  const loaded = load(given);
  return "problems" in loaded ? loaded.problems.map(({ message }) => message) : [];
}

test("nothing given: the defaults of the table", () => {
  const { config } = configOf({});
  expect(config).toEqual({
    listen: { host: "127.0.0.1", port: 4318 },
    grpc_listen: null,
    data_dir: join(folder, "watchllm-data"),
    cache_dir: join(folder, "watchllm-data/cache"),
    init_project: null,
    init_key: null,
    log_level: "info",
    log_format: "auto",
    retention_days: 90,
    sample_rate: 1,
    enabled: true,
    database_url: "",
    cors_origins: [],
    redaction: "off",
    rate_limit_events_per_s: 0,
    flush_interval_s: 60,
    flush_bytes: 64 * 1024 ** 2,
    queue_bytes_max: 64 * 1024 ** 2,
    disk_free_bytes_min: 100 * 1024 ** 2,
    disk_bytes_max: 0,
    memory_limit: "1GB",
    query_concurrency: 2,
    query_timeout_s: 30,
    sql_timeout_s: 10,
    sql_rows_max: 10_000,
    sql_memory_limit: "512MB",
    shutdown_timeout_s: 25,
    alert_interval_s: 30,
    allow_private_webhooks: false,
    blobs: true,
    feature_real_time_dashboard: true,
    feature_advanced_analytics: true,
    feature_hallucination_detection: false,
    feature_enterprise_features: false,
  });
});

describe("precedence", () => {
  const flags = { "retention-days": "1" };
  const own = { WATCHLLM_RETENTION_DAYS: "2" };
  const alias = { OBSERVABILITY_RETENTION_DAYS: "3" };
  const file = { retention_days: 4 };
  const cases: [question: string, given: Given, value: number, source: Origin["source"]][] = [
    ["a flag beats all", { flags, env: { ...own, ...alias }, file }, 1, "flag"],
    ["our variable beats the alias", { env: { ...own, ...alias }, file }, 2, "env"],
    ["the alias beats the file", { env: alias, file }, 3, "env"],
    ["the file beats the default", { file }, 4, "file"],
    ["an empty variable is unset", { env: { WATCHLLM_RETENTION_DAYS: "" }, file }, 4, "file"],
    ["so is one of spaces", { env: { WATCHLLM_RETENTION_DAYS: "  " }, file }, 4, "file"],
    [
      "an empty variable uncovers the alias",
      {
        env: { WATCHLLM_RETENTION_DAYS: "", ...alias },
      },
      3,
      "env",
    ],
    ["null in the file is unset", { file: { retention_days: null } }, 90, "default"],
  ];
  test.each(cases)("%s", (_question, given, value, source) => {
    const { config, origins } = configOf(given);
    expect(config.retention_days).toBe(value);
    expect(origins.retention_days?.source).toBe(source);
  });

  test("the file may be named by a variable, a flag beats it", () => {
    const one = fileWith({ log_level: "debug" });
    const two = fileWith({ log_level: "error" });
    expect(configOf({ env: { WATCHLLM_CONFIG: one } }).config.log_level).toBe("debug");
    expect(configOf({ env: { WATCHLLM_CONFIG: one }, flags: { config: two } }).config.log_level)
      .toBe("error");
  });

  test("no file is looked for", () => {
    writeFileSync(join(folder, "watchllm.json"), '{"log_level": "error"}');
    expect(configOf({}).config.log_level).toBe("info");
  });
});

describe("values", () => {
  const at = (path: string) => join(folder, path);
  const cases: [name: Parameters<typeof settingOf>[0], text: string, value: unknown][] = [
    ["listen", "0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["listen", "localhost:0", { host: "localhost", port: 0 }],
    ["listen", "[::1]:4318", { host: "::1", port: 4318 }],
    ["listen", ":4318", { host: "0.0.0.0", port: 4318 }],
    ["data_dir", "data", at("data")],
    ["data_dir", "/data/", "/data"],
    ["init_key", "a key with spaces", "a key with spaces"],
    ["init_key", "ключ-от-магазина", "ключ-от-магазина"],
    ["init_project", "shop.eu_1-a", "shop.eu_1-a"],
    ["log_level", "DEBUG", "debug"],
    ["sample_rate", ".25", 0.25],
    ["sample_rate", "0", 0],
    ["enabled", "off", false],
    ["enabled", "Yes", true],
    ["flush_bytes", "1000000", 1_000_000],
    ["flush_bytes", "1.5 MiB", 1_572_864],
    ["flush_bytes", "100mb", 100_000_000],
    ["memory_limit", "2 GiB", "2GiB"],
    ["cors_origins", "https://A.example:443/, http://localhost:5173,*", [
      "https://a.example",
      "http://localhost:5173",
      "*",
    ]],
    ["cors_origins", " , ", []],
    ["database_url", "sqlite://state.db", `sqlite://${at("state.db")}`],
    ["database_url", "sqlite:///var/lib/state.db", "sqlite:///var/lib/state.db"],
    ["database_url", "sqlite:", ""],
  ];
  test.each(cases)("%s = %p", (name, text, value) => {
    expect(parseValue(settingOf(name), text, folder)).toEqual({ value });
  });

  const refusals: [name: Parameters<typeof settingOf>[0], text: string, problem: string][] = [
    ["listen", "4318", "host:port"],
    ["listen", "127.0.0.1", "host:port"],
    ["listen", "::1:4318", "host:port"],
    ["listen", "http://127.0.0.1:4318", "host:port"],
    ["listen", "127.0.0.1:70000", "host:port"],
    ["data_dir", "", "needs a path"],
    ["init_key", "short", "16 characters"],
    ["init_key", "x".repeat(513), "512 characters"],
    ["init_key", "line\nbreak-0123456789", "control character"],
    ["init_project", "../up", "letter or digit"],
    ["init_project", "x".repeat(129), "128"],
    ["log_level", "loud", "one of debug, info, warning, error"],
    ["retention_days", "9.5", "whole number"],
    ["retention_days", "-1", "at least 0"],
    ["retention_days", "1e9", "whole number"],
    ["sample_rate", "1.1", "at most 1"],
    ["sample_rate", "NaN", "must be a number"],
    ["enabled", "maybe", "true or false"],
    ["flush_bytes", "64 parsecs", "64MiB"],
    ["flush_bytes", "1", "at least 64KiB"],
    ["memory_limit", "1000000000", "unit"],
    ["memory_limit", "1MB", "at least 64MB"],
    ["cors_origins", "app.example", "no origin"],
    ["cors_origins", "https://app.example/path", "no origin"],
    ["cors_origins", "https://user@app.example", "no origin"],
    ["database_url", "postgresql://db/watchllm", "SQLite"],
    ["database_url", "postgres://db/watchllm", "SQLite"],
    ["database_url", "mysql://db", "sqlite://"],
    ["database_url", "sqlite://:memory:", "file"],
  ];
  test.each(refusals)("%s = %p is refused", (name, text, problem) => {
    const parsed = parseValue(settingOf(name), text, folder);
    expect("problem" in parsed ? parsed.problem : parsed).toContain(problem);
  });

  test.each(settingNames)("the default of %s is valid and shown as it is read", (name) => {
    const setting = settingOf(name);
    if (setting.default === null) return;
    const parsed = parseValue(setting, setting.default, folder);
    if ("problem" in parsed) throw new Error(parsed.problem);
    const again = parseValue(setting, valueText(setting.kind, parsed.value), folder);
    expect(again).toEqual(parsed);
  });

  test("paths in a file start at that file", () => {
    const { config } = configOf({ file: { data_dir: "data" } });
    expect(config.data_dir).toBe(join(folder, "etc/data"));
    expect(config.cache_dir).toBe(join(folder, "etc/data/cache"));
  });

  test("a file may use JSON's own types", () => {
    const { config } = configOf({
      file: {
        $schema: "x",
        enabled: false,
        cors_origins: ["https://a.example"],
        flush_bytes: 65536,
      },
    });
    expect(config.enabled).toBe(false);
    expect(config.cors_origins).toEqual(["https://a.example"]);
    expect(config.flush_bytes).toBe(65_536);
  });
});

describe("a secret", () => {
  const secret = join(folder, "key.txt");
  writeFileSync(secret, "a-secret-of-a-file\n");
  const cases: [question: string, given: Given][] = [
    ["a variable", { env: { WATCHLLM_INIT_KEY_FILE: secret } }],
    ["a flag", { flags: { "init-key-file": "key.txt" } }],
    ["a key of the file", { file: { init_key_file: "../key.txt" } }],
  ];
  test.each(cases)("is read from the file that %s names", (_question, given) => {
    expect(configOf(given).config.init_key).toBe("a-secret-of-a-file");
  });

  const env = { WATCHLLM_INIT_KEY: "0123456789abcdef" };
  const refusals: [question: string, given: Given, problem: string][] = [
    ["given twice", { env: { ...env, WATCHLLM_INIT_KEY_FILE: secret } }, "both given"],
    ["a file that is missing", { env: { WATCHLLM_INIT_KEY_FILE: "none" } }, "ENOENT"],
    ["an empty file", { env: { WATCHLLM_INIT_KEY_FILE: fileWith(" \n") } }, "empty"],
  ];
  test.each(refusals)("%s is refused", (_question, given, problem) => {
    expect(problemsOf(given).join()).toContain(problem);
  });

  test("is never shown", () => {
    const bad = problemsOf({ env: { WATCHLLM_INIT_KEY: "hunter2" } });
    expect(bad).toHaveLength(1);
    expect(bad.join()).not.toContain("hunter2");
    const { config, origins } = configOf({ env });
    const shown = JSON.stringify(shownSettings(config, origins));
    expect(shown).not.toContain(env.WATCHLLM_INIT_KEY);
    expect(shown).toContain("16 characters");
  });
});

describe("what nobody knows is refused", () => {
  const cases: [given: Given, problem: string][] = [
    [{ env: { WATCHLLM_DATADIR: "x" } }, "Did you mean WATCHLLM_DATA_DIR?"],
    [{ env: { WATCHLLM_DATADIR: "" } }, "Did you mean WATCHLLM_DATA_DIR?"],
    [{ env: { WATCHLLM_RETENTION: "9" } }, "Unknown variable WATCHLLM_RETENTION."],
    [{ env: { WATCHLLM_PORT: "80" } }, "Did you mean WATCHLLM_LISTEN?"],
    [{ env: { WATCHLLM_LISTEN_FILE: "x" } }, "Unknown variable WATCHLLM_LISTEN_FILE."],
    [{ file: { retention_day: 9 } }, "Did you mean retention_days?"],
    [{ file: { constructor: 9 } }, 'Unknown key "constructor"'],
    [{ file: '{"__proto__": {"listen": "0.0.0.0:1"}}' }, 'Unknown key "__proto__"'],
    [{ file: { listen: { port: 1 } } }, "must not be an object"],
    [{ file: [] }, "one JSON object"],
    [{ file: "{" }, "is no JSON"],
    [{ flags: { config: "none.json" } }, "cannot be read"],
    [{ env: { WATCHLLM_CONFIG: "none.json" } }, "cannot be read"],
    [{ env: { OBSERVABILITY_DATABASE_URL: "postgresql://db/x" } }, "OBSERVABILITY_DATABASE_URL"],
  ];
  test.each(cases)("%j", (given, problem) => {
    const problems = problemsOf(given);
    expect(problems).toHaveLength(1);
    expect(problems.join()).toContain(problem);
  });

  const links = {
    WATCHLLM_PORT: "tcp://10.0.0.7:4318",
    WATCHLLM_PORT_4318_TCP: "tcp://10.0.0.7:4318",
    WATCHLLM_PORT_4318_TCP_ADDR: "10.0.0.7",
    WATCHLLM_PORT_4318_TCP_PORT: "4318",
    WATCHLLM_PORT_4318_TCP_PROTO: "tcp",
    WATCHLLM_SERVICE_HOST: "10.0.0.7",
    WATCHLLM_SERVICE_PORT: "4318",
    WATCHLLM_SERVICE_PORT_HTTP: "4318",
  };
  test("but not what Kubernetes says of a service of this name", () => {
    expect(problemsOf({ env: links })).toEqual([]);
  });

  test("every problem is told, not only the first", () => {
    const env = { WATCHLLM_LISTEN: "x", WATCHLLM_SAMPLE_RATE: "2", WATCHLLM_FOO: "1" };
    expect(problemsOf({ env })).toHaveLength(3);
  });
});

describe("the table yields", () => {
  test.each(settingNames)("%s in help and in the README's table", (name) => {
    const setting = settingOf(name);
    expect(helpLines([name]).join("\n")).toContain(setting.help);
    const row = settingsMarkdown().split("\n").find((line) => line.startsWith(`| \`${name}\``));
    for (const word of [envOf(name), `--${flagOf(name)}`, ...setting.aliases ?? []]) {
      expect(row).toContain(word);
    }
  });

  const readme = join(import.meta.dir, "../README.md");
  test.if(existsSync(readme))("the table that stands in the README", () => {
    // The formatter aligns its columns.
    const cells = (line: string) => line.split("|").map((cell) => cell.trim()).join("|");
    const lines = new Set(readFileSync(readme, "utf8").split("\n").map(cells));
    const rows = settingsMarkdown().split("\n").filter((line) => !line.startsWith("| ---"));
    expect(rows.filter((row) => !lines.has(cells(row)))).toEqual([]);
  });
});

test.each([
  [{ host: "127.0.0.1", port: 1 }, "127.0.0.1:1"],
  [{ host: "::1", port: 4318 }, "[::1]:4318"],
])("%j is written %s", (address, text) => expect(addressText(address)).toBe(text));
