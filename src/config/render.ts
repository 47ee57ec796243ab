// Settings for people: lines of `--help`, the README's table, rows of `config show`.
import {
  type Config,
  envOf,
  flagOf,
  type Setting,
  type SettingName,
  settingNames,
  settingOf,
} from "../config.ts";
import type { Origin } from "./load.ts";
import { valueText } from "./value.ts";

/** Two columns: flag and help; the default behind it. */
export function helpLines(names: readonly SettingName[]): string[] {
  const rows = names.map((name) => {
    const setting = settingOf(name);
    const shown = setting.default === null || setting.default === "" ? "" : ` [${setting.default}]`;
    return [flagUsage(name, setting), setting.help + shown] as const;
  });
  return columns(rows);
}

/** Lines with the second column aligned; long first cells stand on a line of their own. */
export function columns(rows: readonly (readonly [string, string])[], widthMax = 34): string[] {
  const width = Math.min(widthMax, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) =>
    left.length > width
      ? [`  ${left}`, `  ${" ".repeat(width)}  ${right}`]
      : [`  ${left.padEnd(width)}  ${right}`.trimEnd()]
  );
}

function flagUsage(name: SettingName, setting: Setting): string {
  return setting.kind === "boolean"
    ? `--[no-]${flagOf(name)}`
    : `--${flagOf(name)} <${placeholder(setting)}>`;
}

function placeholder({ kind, values }: Setting): string {
  switch (kind) {
    case "address":
      return "host:port";
    case "choice":
      return (values ?? []).join("|");
    case "integer":
    case "number":
      return "n";
    case "memory":
      return "bytes";
    case "database":
      return "url";
    default:
      return kind;
  }
}

/** The table of the README; a test holds the README to it. */
export function settingsMarkdown(): string {
  const rows = settingNames.map((name) => {
    const setting = settingOf(name);
    const variables = [envOf(name), ...(setting.secret ? [`${envOf(name)}_FILE`] : [])]
      .concat(setting.aliases ?? []).map((variable) => `\`${variable}\``);
    const cells = [
      `\`${name}\``,
      variables.join("<br>"),
      `\`--${flagOf(name)}\``,
      setting.default === null || setting.default === "" ? "" : `\`${setting.default}\``,
      setting.help.replaceAll("|", "\\|").replaceAll("<", "&lt;"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| Setting | Variable | Flag | Default | What it does |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

export interface ShownSetting {
  name: SettingName;
  /** Null when unset. A secret is told by its length only. */
  value: string | null;
  source: Origin["source"];
  origin: string;
}

export function shownSettings(
  config: Config,
  origins: Readonly<Record<SettingName, Origin>>,
): ShownSetting[] {
  return settingNames.map((name) => {
    const { kind, secret } = settingOf(name);
    const value = config[name];
    const text = value === null
      ? null
      : secret === true
      ? `(secret, ${String(value).length} characters)`
      : valueText(kind, value);
    return { name, value: text, source: origins[name].source, origin: origins[name].name };
  });
}
